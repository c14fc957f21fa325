import { lakeTables } from '../../../lib/duckdb/lake-tables.ts';
import { MemoryStore } from '../../../lib/storage/index.ts';

describe('lakeTables', () => {
  it('finds tables of one and of two levels, among other files', async () => {
    const lake = new MemoryStore();
    const keys = [
      'bronze/purchases/_delta_log/00000000000000000000.json',
      'bronze/purchases/part-1.parquet',
      'bronze/purchases_2/date=2024-01-01/part-1.parquet',
      'bronze/purchases_2/_delta_log/00000000000000000010.json',
      'notes.txt',
      'silver/readme.txt',
      'silver/not_a_table/file',
      'flat/_delta_log/00000000000000000000.json',
      'flat/part.parquet',
      'flat/year=2024/part.parquet',
      'ops/runs/_delta_log/00000000000000000000.json',
    ];
    for (const key of keys) await lake.put(key, Uint8Array.of(1));
    expect(await lakeTables(lake)).toEqual([
      { name: ['bronze', 'purchases'], path: 'bronze/purchases' },
      { name: ['bronze', 'purchases_2'], path: 'bronze/purchases_2' },
      { name: ['flat'], path: 'flat' },
      { name: ['ops', 'runs'], path: 'ops/runs' },
    ]);
  });

  it('finds a table among many files, and lists a few of each folder', async () => {
    const lake = new MemoryStore();
    for (let n = 0; n < 500; n++) {
      await lake.put(`bronze/many/Day=${n}/part.parquet`, Uint8Array.of(1));
      await lake.put(`bronze/log/_delta_log/${String(n).padStart(20, '0')}.json`, Uint8Array.of(1));
      await lake.put(`bronze/no_table/${n}/part.parquet`, Uint8Array.of(1));
    }
    await lake.put('bronze/many/_delta_log/00000000000000000000.json', Uint8Array.of(1));
    await lake.put('silver/last/_delta_log/00000000000000000000.json', Uint8Array.of(1));
    let listed = 0;
    const list = lake.list.bind(lake);
    lake.list = async function* (prefix, options) {
      for await (const object of list(prefix, options)) {
        listed++;
        yield object;
      }
    };
    expect((await lakeTables(lake)).map(({ path }) => path)).toEqual(['bronze/log', 'bronze/many', 'silver/last']);
    expect(listed).toBeLessThan(310);
  });

  it('finds none in a lake that is not there', async () => {
    expect(await lakeTables(new MemoryStore())).toEqual([]);
  });
});
