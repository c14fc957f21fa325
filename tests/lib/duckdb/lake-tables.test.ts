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

  it('finds none in a lake that is not there', async () => {
    expect(await lakeTables(new MemoryStore())).toEqual([]);
  });
});
