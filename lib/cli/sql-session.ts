import { mapAll } from '../concurrency.ts';
import type { DeltaTable } from '../duckdb/delta.ts';
import type { DuckDBEngine } from '../duckdb/engine.ts';
import { lakeTables } from '../duckdb/lake-tables.ts';
import { identifier } from '../duckdb/names.ts';
import { readSelect } from '../duckdb/select.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';

/** A table that SQL may name. */
export interface NamedTable {
  /** Its name, below its schema's where there is one. */
  readonly name: readonly string[];
  readonly store: ObjectStore;
  /** The version to read; the newest where absent. */
  readonly version?: number;
}

/** A table that a statement reads. */
export interface AttachedTable {
  readonly name: readonly string[];
  readonly table: DeltaTable;
}

/** SQL over a lake. */
export interface SqlSession {
  readonly engine: DuckDBEngine;
  /**
   * Makes ready what a statement reads, and checks it: the tables that it names become views, at one version each.
   *
   * @throws LakeletError `QUERY_INVALID`, `QUERY_NOT_READ_ONLY`, `TABLE_NOT_FOUND`, `TABLE_AMBIGUOUS`, and what opening a
   *   table throws
   */
  attach(sql: string, signal: AbortSignal): Promise<readonly AttachedTable[]>;
}

/**
 * Runs `work` with an engine of its own over a lake, and closes the engine.
 *
 * @param extra tables beside the lake's own, which they stand before where the names are the same
 */
export async function withSql<T>(
  lake: string,
  extra: readonly NamedTable[],
  work: (session: SqlSession) => Promise<T>,
): Promise<T> {
  // DuckDB is loaded when it is needed, so that `--help` does not wait for it.
  const { DuckDBEngine } = await import('../duckdb/engine.ts');
  const engine = await DuckDBEngine.open();
  try {
    return await work({ engine, attach: (sql, signal) => attach(engine, sql, openStore(lake), extra, signal) });
  } finally {
    engine.close();
  }
}

/** How many tables are opened at once. */
const TABLES_AT_ONCE = 8;

async function attach(
  engine: DuckDBEngine,
  sql: string,
  lake: ObjectStore,
  extra: readonly NamedTable[],
  signal: AbortSignal,
): Promise<readonly AttachedTable[]> {
  const { tables, any } = await readSelect(engine, sql);
  if (tables.length === 0 && !any) {
    await check(engine, sql, []);
    return [];
  }
  const { DeltaTable } = await import('../duckdb/delta.ts');
  const known = await knownTables(lake, extra);
  const wanted = any ? known : known.filter(({ name }) => tables.some((named) => folded(named) === folded(name)));
  refuseTwins(wanted);
  const attached = await mapAll(wanted, TABLES_AT_ONCE, async ({ name, store, version }): Promise<AttachedTable> => {
    const table = await DeltaTable.open(store, { engine, ...(version !== undefined && { version }) });
    await engine.view(name, table, { signal });
    return { name, table };
  });
  await check(engine, sql, known);
  return attached;
}

/** Refuses tables that SQL could not tell apart. */
function refuseTwins(tables: readonly NamedTable[]): void {
  for (const { name } of tables) {
    const twin = tables.find((other) => other.name !== name && folded(other.name) === folded(name));
    if (twin === undefined) continue;
    throw new LakeletError(
      'TABLE_AMBIGUOUS',
      `The lake has both ${shownName(name)} and ${shownName(twin.name)}, which are one name in SQL; give one of them another with --table NAME=URI`,
    );
  }
}

/** The lake's tables and the extra ones. */
async function knownTables(lake: ObjectStore, extra: readonly NamedTable[]): Promise<readonly NamedTable[]> {
  const hidden = new Set(extra.map(({ name }) => folded(name)));
  const own = (await lakeTables(lake)).filter(({ name }) => !hidden.has(folded(name)));
  return [...own.map(({ name, path }) => ({ name, store: lake.at(path) })), ...extra];
}

/** Lets DuckDB bind the statement, without running it. */
async function check(engine: DuckDBEngine, sql: string, known: readonly NamedTable[]): Promise<void> {
  let parameters: number;
  try {
    const prepared = await engine.connection.prepare(sql);
    parameters = prepared.parameterCount;
    prepared.destroySync();
  } catch (error) {
    throw unbound(error, known);
  }
  if (parameters > 0) {
    throw new LakeletError('QUERY_INVALID', 'The SQL has parameters (? or $1); write their values into it');
  }
}

function unbound(error: unknown, known: readonly NamedTable[]): LakeletError {
  const message = messageOf(error);
  const missing = /\bCatalog Error: Table with name "?(.+?)"? does not exist/.exec(message)?.[1];
  if (missing === undefined) {
    // What follows an empty line shows the place in the statement, over several lines.
    const [what = ''] = message.split('\n\n');
    return new LakeletError('QUERY_INVALID', `The SQL can't be run: ${printable(what.replaceAll('\n', ' '))}`, {
      cause: error,
    });
  }
  const names = known.map(({ name }) => shownName(name));
  const more = names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : '';
  const there = names.length === 0 ? 'the lake has none yet' : `there are ${names.slice(0, SHOWN_NAMES).join(', ')}`;
  return new LakeletError(
    'TABLE_NOT_FOUND',
    `There is no table ${printable(missing, 200)}; ${there}${more}; --table NAME=URI adds one, --lake names another lake`,
    { cause: error },
  );
}

/** The most tables that an error lists. */
const SHOWN_NAMES = 20;

/** A name as SQL has to write it, on one line. */
export function shownName(name: readonly string[]): string {
  const quoted = name.map((part) => (/^[a-z_][a-z0-9_]*$/i.test(part) ? part : identifier(part)));
  return printable(quoted.join('.'), 200);
}

/** SQL's names differ by more than case. */
function folded(name: readonly string[]): string {
  return JSON.stringify(name.map((part) => part.toLowerCase()));
}
