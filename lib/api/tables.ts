import type { z } from 'zod';
import { DeltaTable, type DeltaTable as Table } from '../duckdb/delta.ts';
import { DuckDBEngine } from '../duckdb/engine.ts';
import { type LakeTable, lakeTables } from '../duckdb/lake-tables.ts';
import { asLakeletError, LakeletError, printable } from '../errors.ts';
import { summarize } from '../pipeline/table.ts';
import type { ObjectStore } from '../storage/index.ts';
import { failureAnswer } from './failure.ts';
import { LIMITS } from './limits.ts';
import { collectRows } from './rows.ts';
import { errorAnswer, type tableAnswer, type tableParameters, type tablesAnswer } from './schemas.ts';

type Entry = z.output<typeof tablesAnswer>['tables'][number];

/** All tables of the lake; one that can't be read says why, and does not hide the others. */
export async function listTables(lake: ObjectStore): Promise<z.output<typeof tablesAnswer>> {
  return withEngine(async (engine) => {
    const tables: Entry[] = [];
    for (const table of await lakeTables(lake)) tables.push(await entryOf(lake, table, engine));
    return { tables };
  });
}

async function entryOf(lake: ObjectStore, table: LakeTable, engine: DuckDBEngine): Promise<Entry> {
  const [first = '', second] = table.name;
  const named = second === undefined ? { layer: null, name: first } : { layer: first, name: second };
  try {
    const opened = await DeltaTable.open(lake.at(table.path), { engine });
    const { version, rows } = await summarize(table.path, opened);
    const bytes = (await opened.files()).reduce((sum, { size }) => sum + size, 0);
    return { ...named, version, rows, bytes };
  } catch (thrown) {
    const { body } = failureAnswer(asLakeletError(thrown, 'TABLE_UNREADABLE', 'The table could not be opened'));
    return { ...named, version: null, rows: null, bytes: null, ...errorAnswer.parse(body) };
  }
}

/**
 * A table with its schema, its last commits, and a page of its rows. Rows stand in the order of the table's files, so
 * that pages of one version neither overlap nor leave anything out.
 *
 * @throws LakeletError `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `UNSUPPORTED_FEATURE`, `ROW_TOO_LARGE`
 */
export async function readTable(
  lake: ObjectStore,
  { layer, name, version, offset, limit }: z.output<typeof tableParameters>,
): Promise<z.output<typeof tableAnswer>> {
  return withEngine(async (engine) => {
    const table = await open(lake, layer, name, version, engine);
    const history = await table.history({ limit: LIMITS.historyEntries });
    const { rows, truncated } = await page(engine, table, offset, limit);
    return {
      layer,
      name,
      version: table.version,
      schema: { ...table.schema, fields: table.schema.fields.map((field) => ({ ...field })) },
      partitionColumns: [...table.partitionColumns],
      history: history.map((entry) => ({ ...entry })),
      rows: [...rows],
      nextOffset: truncated ? offset + rows.length : null,
    };
  });
}

async function open(
  lake: ObjectStore,
  layer: string,
  name: string,
  version: number | undefined,
  engine: DuckDBEngine,
): Promise<Table> {
  const shown = printable(`${layer}/${name}`, 300);
  try {
    return await DeltaTable.open(lake.at(`${layer}/${name}`), { engine, ...(version !== undefined && { version }) });
  } catch (error) {
    const code = error instanceof LakeletError ? error.code : '';
    // The messages of lib/delta name the place where the lake lies.
    if (code === 'TABLE_NOT_FOUND' || code === 'INVALID_KEY') {
      throw new LakeletError('TABLE_NOT_FOUND', `The lake has no table ${shown}; GET /tables lists those that it has`, {
        cause: error,
      });
    }
    if (code === 'VERSION_NOT_FOUND') {
      throw new LakeletError(code, `The table ${shown} has no version ${version} (any more)`, { cause: error });
    }
    if (code === 'UNSUPPORTED_FEATURE') {
      throw new LakeletError(code, `The table ${shown} has features that Lakelet can't read yet`, { cause: error });
    }
    throw error;
  }
}

async function page(engine: DuckDBEngine, table: Table, offset: number, limit: number) {
  if (table.schema.fields.length === 0) return { rows: [], truncated: false };
  await engine.view('page', table);
  const { batches } = await engine.query(`FROM page LIMIT ${limit + 1} OFFSET ${offset}`);
  return collectRows(batches, limit);
}

async function withEngine<T>(work: (engine: DuckDBEngine) => Promise<T>): Promise<T> {
  const engine = await DuckDBEngine.open();
  try {
    return await work(engine);
  } finally {
    engine.close();
  }
}
