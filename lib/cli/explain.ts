import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRecord } from '../delta/schema/types.ts';
import type { DeltaTable, TableFile } from '../duckdb/delta.ts';
import type { DuckDBEngine } from '../duckdb/engine.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import { bytes } from './figures.ts';
import { type Console, type Format, writeObject } from './output.ts';
import { type AttachedTable, shownName } from './sql-session.ts';
import { tableLines } from './text-table.ts';

/** What a statement reads of one table. */
export interface ExplainedTable {
  /** As SQL writes it. */
  readonly table: string;
  readonly version: number;
  /** Files that may hold rows that the statement asks for, and their bytes. */
  readonly filesKept: number;
  readonly bytesKept: number;
  /** Files that cannot, by their partition values or their statistics. */
  readonly filesSkipped: number;
  /** The condition that files were held against; absent where all are read. */
  readonly where?: string;
}

/** Writes DuckDB's plan of a statement, and for each table the files that its conditions keep and skip. */
export async function explain(
  engine: DuckDBEngine,
  sql: string,
  attached: readonly AttachedTable[],
  console: Console,
  format: Format,
): Promise<void> {
  const plan = (await engine.rows(`EXPLAIN ${sql}`)).map((row) => String(row.explain_value)).join('\n');
  const conditions = attached.length === 0 ? [] : await scanConditions(engine, sql, attached);
  const tables: ExplainedTable[] = [];
  for (const [i, { name, table }] of attached.entries()) {
    const all = await table.files();
    const { kept = all, where } = await filesUnder(table, conditions[i]);
    tables.push({
      table: shownName(name),
      version: table.version,
      filesKept: kept.length,
      bytesKept: kept.reduce((sum, { size }) => sum + size, 0),
      filesSkipped: all.length - kept.length,
      ...(where !== undefined && { where }),
    });
  }
  await writeObject(console, format, { plan, tables }, () => [plan.trimEnd(), ...tableText(tables)]);
}

/** The files that a scan's condition keeps; nothing where there is no condition. */
async function filesUnder(
  table: DeltaTable,
  where: string | undefined,
): Promise<{ readonly kept?: readonly TableFile[]; readonly where?: string }> {
  if (where === undefined) return {};
  try {
    return { kept: await table.files({ where }), where };
  } catch (error) {
    // The text of plans is no stable interface: a filter that is no SQL may keep every row.
    if (error instanceof LakeletError && error.code === 'INVALID_PREDICATE') return {};
    throw error;
  }
}

function tableText(tables: readonly ExplainedTable[]): string[] {
  if (tables.length === 0) return [];
  const rows = tables.map(({ table, version, filesKept, bytesKept, filesSkipped, where }) => ({
    table,
    version,
    'files kept': filesKept,
    size: bytes(bytesKept),
    'files skipped': filesSkipped,
    where,
  }));
  return ['', ...tableLines(['table', 'version', 'files kept', 'size', 'files skipped', 'where'], rows, 400)];
}

/**
 * The condition under which each table is scanned, or undefined where there is none, or the plan does not tell. The
 * statement is planned over empty files whose columns are named by table and number, so that each scan in the plan tells
 * what it is of and its filters are SQL. This takes the place of the tables' views.
 */
async function scanConditions(
  engine: DuckDBEngine,
  sql: string,
  attached: readonly AttachedTable[],
): Promise<(string | undefined)[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lakelet-explain-'));
  try {
    for (const [i, { name, table }] of attached.entries()) {
      const view = name.map(identifier).join('.');
      const columns = table.schema.fields.map((field, j) => [identifier(field.name), `t${i}_c${j}`] as const);
      const stub = literal(join(folder, `${i}.parquet`));
      const renamed = columns.map(([column, alias]) => `${column} AS ${alias}`);
      const restored = columns.map(([column, alias]) => `${alias} AS ${column}`);
      await engine.run(`COPY (SELECT ${renamed.join(', ')} FROM ${view} LIMIT 0) TO ${stub} (FORMAT parquet)`);
      await engine.run(`CREATE OR REPLACE VIEW ${view} AS SELECT ${restored.join(', ')} FROM read_parquet(${stub})`);
    }
    const [row] = await engine.rows(`EXPLAIN (FORMAT json) ${sql}`);
    const scans = scansOf(JSON.parse(String(row?.explain_value)));
    return attached.map(({ table }, i) => condition(scans.get(i), table.schema.fields));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The filters of each scan, by the number of its table; of no filters where it has none. */
function scansOf(plan: unknown): Map<number, string[][]> {
  const scans = new Map<number, string[][]>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (!isRecord(node)) return;
    visit(node.children);
    const info = isRecord(node.extra_info) ? node.extra_info : {};
    const filters = texts(info.Filters);
    const number = /\bt(\d+)_c\d+\b/.exec([...texts(info.Projections), ...filters].join(' '))?.[1];
    if (info.Function !== 'READ_PARQUET' || number === undefined) return;
    scans.set(Number(number), [...(scans.get(Number(number)) ?? []), filters]);
  };
  visit(plan);
  return scans;
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string' && item !== '');
}

/** The condition that holds for every row that one of a table's scans yields. */
function condition(
  scans: readonly (readonly string[])[] | undefined,
  fields: readonly { readonly name: string }[],
): string | undefined {
  const each = (scans ?? []).map((filters) =>
    filters
      .map((filter) => filter.replace(/^optional: /, ''))
      // What is found out only as the query runs says nothing before.
      .filter((filter) => !filter.startsWith('Dynamic Filter'))
      .map((filter) => `(${named(filter, fields)})`)
      .join(' AND '),
  );
  if (each.length === 0 || each.includes('')) return undefined;
  return each.length === 1 ? each[0] : each.map((filter) => `(${filter})`).join(' OR ');
}

/** A filter with the columns' own names, text in it left as it is. */
function named(filter: string, fields: readonly { readonly name: string }[]): string {
  return filter.replace(/'(?:[^']|'')*'|\bt\d+_c(\d+)\b/g, (match, column: string | undefined) => {
    const field = column === undefined ? undefined : fields[Number(column)];
    return field === undefined ? match : identifier(field.name);
  });
}
