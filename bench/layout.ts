/**
 * `node bench/layout.ts [--lake FOLDER] [--repeat N]`: writes the rows of a lake's `silver/purchases` in several layouts,
 * and prints of each the seconds to write it, its files and MB, and the milliseconds to read it in three ways: all rows
 * of a few columns, one month, and one purchase. Seconds are medians; the layout that Lakelet writes comes first.
 */
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeltaTable } from '../lib/duckdb/delta.ts';
import { DuckDBEngine } from '../lib/duckdb/engine.ts';
import { literal } from '../lib/duckdb/names.ts';
import { ROW_GROUP_ROWS } from '../lib/duckdb/stage.ts';

interface Layout {
  readonly name: string;
  readonly order?: string;
  readonly rowGroup?: number;
  readonly codec?: string;
  /** Further options of COPY; a layout that has them writes a folder of files. */
  readonly files?: readonly string[];
}

const LAYOUTS: readonly Layout[] = [
  { name: 'as written' },
  { name: 'row groups 20,480', rowGroup: 20_480 },
  { name: 'row groups 122,880', rowGroup: 122_880 },
  { name: 'row groups 1,048,576', rowGroup: 1_048_576 },
  { name: 'snappy', codec: 'snappy' },
  { name: 'uncompressed', codec: 'uncompressed' },
  { name: 'by purchase_id', order: 'purchase_id' },
  { name: 'by category', order: 'product_category, purchased_at' },
  { name: 'unsorted', order: 'hash(purchase_id)' },
  { name: 'a folder a year', files: ['PARTITION_BY (year)'] },
  { name: 'a folder a month', files: ['PARTITION_BY (year, month)'] },
  { name: 'a file a thread', files: ['PER_THREAD_OUTPUT true'] },
];
const MONTH = "purchased_at >= TIMESTAMPTZ '2024-03-01' AND purchased_at < TIMESTAMPTZ '2024-04-01'";

const { values } = parseArgs({
  options: { lake: { type: 'string', default: join('.lakelet', 'lake') }, repeat: { type: 'string', default: '3' } },
});
const folder = await mkdtemp(join(tmpdir(), 'lakelet-layout-'));
const engine = await DuckDBEngine.open();
try {
  await engine.view('silver', await DeltaTable.open(join(values.lake, 'silver', 'purchases'), { engine }));
  await engine.run('CREATE TABLE source AS SELECT * FROM silver');
  const header = ['write s', 'files', 'MB', 'all ms', 'month ms', 'one ms'];
  process.stdout.write(`${''.padEnd(22)}${header.map((name) => name.padStart(10)).join('')}\n`);
  for (const [at, layout] of LAYOUTS.entries()) {
    const figures = await measure(layout, join(folder, String(at)));
    process.stdout.write(`${layout.name.padEnd(22)}${figures.map((text) => text.padStart(10)).join('')}\n`);
  }
} finally {
  engine.close();
  await rm(folder, { recursive: true, force: true });
}

async function measure(layout: Layout, path: string): Promise<string[]> {
  const { order = 'purchased_at, purchase_id', rowGroup = ROW_GROUP_ROWS, codec = 'zstd', files } = layout;
  await mkdir(path);
  const target = files === undefined ? join(path, 'part.parquet') : path;
  const options = ['FORMAT parquet', `ROW_GROUP_SIZE ${rowGroup}`, `COMPRESSION ${codec}`, ...(files ?? [])];
  // Sorting is not what is compared: each order costs about the same.
  await engine.run(`CREATE OR REPLACE TABLE sorted AS SELECT * FROM source ORDER BY ${order}`);
  const overwrite = files === undefined ? [] : ['OVERWRITE_OR_IGNORE true'];
  const write = await seconds(
    `COPY (SELECT * FROM sorted) TO ${literal(target)} (${[...options, ...overwrite].join(', ')})`,
  );
  const parquet = `read_parquet(${literal(join(path, '**', '*.parquet'))}, hive_partitioning = ${files !== undefined})`;
  const all = await seconds(
    `SELECT product_category, age_group, avg(purchase_amount), avg(income) FROM ${parquet} GROUP BY ALL`,
  );
  const month = await seconds(`SELECT count(*), sum(purchase_amount), max(city) FROM ${parquet} WHERE ${MONTH}`);
  const [middle] = await engine.rows('SELECT purchase_id FROM source ORDER BY hash(purchase_id) LIMIT 1');
  const one = await seconds(`SELECT * FROM ${parquet} WHERE purchase_id = ${literal(String(middle?.purchase_id))}`);
  const { count, bytes } = await sizeOf(path);
  const ms = (of: number): string => (of * 1000).toFixed(1);
  return [write.toFixed(2), String(count), (bytes / 1e6).toFixed(1), ms(all), ms(month), ms(one)];
}

/** The median of a statement's seconds, after one that is not counted. */
async function seconds(sql: string): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round <= Number(values.repeat); round++) {
    const start = performance.now();
    await engine.rows(sql);
    if (round > 0) taken.push((performance.now() - start) / 1000);
  }
  return taken.toSorted((a, b) => a - b)[Math.floor(taken.length / 2)] ?? Number.NaN;
}

async function sizeOf(path: string): Promise<{ count: number; bytes: number }> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return { count: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
