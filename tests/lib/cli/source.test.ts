import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceOf } from '../../../lib/cli/source.ts';

describe('sourceOf', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lakelet-source's "));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('tells files by their ending, and quotes their path', async () => {
    for (const name of ['a.parquet', 'b.csv', 'c.json', 'd.csv.gz']) await writeFile(join(folder, name), '');
    const path = (name: string): string => join(folder, name).replaceAll("'", "''");
    expect(await sourceOf(join(folder, 'a.parquet'))).toEqual({ parquet: join(folder, 'a.parquet') });
    expect(await sourceOf(join(folder, 'b.csv'))).toEqual({ sql: `SELECT * FROM read_csv('${path('b.csv')}')` });
    expect(await sourceOf(join(folder, 'c.json'))).toEqual({ sql: `SELECT * FROM read_json('${path('c.json')}')` });
    expect(await sourceOf(join(folder, 'd.csv.gz'))).toEqual({ sql: `SELECT * FROM read_csv('${path('d.csv.gz')}')` });
  });

  it.each(['SELECT 1 AS a', 'FROM silver.purchases', "SELECT * FROM 'x.parquet'"])('takes %j for SQL', async (sql) => {
    expect(await sourceOf(sql)).toEqual({ sql });
  });

  it('says which file is not there', async () => {
    await expect(sourceOf(join(folder, 'none.csv'))).rejects.toMatchObject({
      name: 'LakeletError',
      code: 'SOURCE_NOT_FOUND',
    });
  });
});
