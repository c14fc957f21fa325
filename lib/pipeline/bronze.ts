import { z } from 'zod';
import { mapInOrder } from '../concurrency.ts';
import { DeltaTable } from '../duckdb/delta.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError, printable } from '../errors.ts';
import type { Context } from './context.ts';
import type { Column, Dataset, DeliveredRows } from './dataset.ts';
import type { BronzeEvent } from './events.ts';
import { appIdOf, type Committed, commitInfoOf, committed, type StepIdentity } from './identity.ts';
import { runOnce, type StepResult, type StepSummary } from './run-log.ts';
import { openOrCreate, summarize, type TableSummary } from './table.ts';

/** How many notes of parts are read at once. */
const READS = 16;

const CLAIM = z.object({});
const LANDED = z.object({ rows: z.number(), source: z.string() });
type Landed = z.output<typeof LANDED>;

/** Where a dataset's records land. */
export function bronzePath({ name }: Pick<Dataset, 'name'>): string {
  return `bronze/${name}`;
}

/** Bronze's columns: what the source delivers, and who brought it when. */
export function bronzeColumns({ columns }: Pick<Dataset, 'columns'>): readonly Column[] {
  return [
    ...columns,
    { name: 'run_id', type: 'string' },
    { name: 'source', type: 'string' },
    { name: 'ingested_at', type: 'timestamp' },
  ];
}

/**
 * Lands a delivery as it came: appends it to `bronze/<name>` with the run's id, the source and the moment, each part of it
 * in one commit. Where there are several parts (`shards`), `shard` lands that one alone; without it all land that have not
 * landed yet, and the answer is of the whole.
 *
 * @throws LakeletError `RUN_ID_REUSED`, what the source and the table throw
 */
export async function runBronze(context: Context, dataset: Dataset, event: BronzeEvent): Promise<StepSummary> {
  const { runId, rows, seed, shards, shard } = event;
  const identity: StepIdentity = { runId, step: 'bronze', parameters: { dataset: dataset.name, rows, seed, shards } };
  const all = Array.from({ length: shards }, (_, part) => part);
  if (shard === undefined) return runOnce(context, identity, () => landAll(context, dataset, event, identity, all));
  return { runId, step: 'bronze', ...(await landAll(context, dataset, event, identity, [shard])).summary };
}

async function landAll(
  context: Context,
  dataset: Dataset,
  event: BronzeEvent,
  identity: StepIdentity,
  shards: readonly number[],
): Promise<StepResult> {
  const table = await openOrCreate(context, bronzePath(dataset), bronzeColumns(dataset));
  if (event.shards > 1) await claim(context, table, identity);
  const parts = shards.map((shard) => ({ shard, identity: event.shards === 1 ? identity : { ...identity, shard } }));
  for (const part of parts) {
    // Parts may land elsewhere at the same time.
    if (event.shards > 1) await table.refresh();
    if ((await table.txnVersion(appIdOf(part.identity))) !== undefined) continue;
    await land(context, table, dataset, { ...event, shard: part.shard }, part.identity);
  }
  const landed = await notesOf(
    table,
    parts.map((part) => part.identity),
  );
  return {
    summary: {
      tables: [await summaryAt(context, dataset, table, Math.max(...landed.map(({ version }) => version)))],
      delivered: {
        rows: landed.reduce((sum, { facts }) => sum + facts.rows, 0),
        source: landed[0]?.facts.source,
        seed: event.seed,
        shards: event.shards,
        ...(event.shard !== undefined && { shard: event.shard }),
      },
    },
  };
}

/**
 * Notes in the table, in a commit without rows, by which parameters the run lands its parts, so that parts by others are
 * refused even when they come at the same moment: records would land twice. A delivery in one part needs no such commit,
 * since its rows come under the same identity.
 */
async function claim({ signal }: Context, table: DeltaTable, identity: StepIdentity): Promise<void> {
  if ((await committed(table, identity, CLAIM)) !== undefined) return;
  const { alreadyCommitted } = await table.append(
    { rows: [] },
    {
      txn: { appId: appIdOf(identity) },
      commitInfo: commitInfoOf(identity, {}),
      ...(signal !== undefined && { signal }),
    },
  );
  if (alreadyCommitted === true) await committed(table, identity, CLAIM);
}

async function land(
  context: Context,
  table: DeltaTable,
  dataset: Dataset,
  { rows, seed, shards, shard }: BronzeEvent,
  identity: StepIdentity,
): Promise<void> {
  const delivered = dataset.deliver(context.engine.connection, {
    rows,
    seed,
    shards,
    ...(shard !== undefined && { shard }),
  });
  await table.append(
    { sql: landingSql(dataset, delivered, identity.runId, new Date()) },
    {
      txn: { appId: appIdOf(identity) },
      commitInfo: commitInfoOf(identity, { rows: delivered.rows, source: delivered.source }),
      ...(context.signal !== undefined && { signal: context.signal }),
    },
  );
}

/** What the parts' commits noted, whoever made them. */
async function notesOf(table: DeltaTable, parts: readonly StepIdentity[]): Promise<Committed<Landed>[]> {
  const notes: Committed<Landed>[] = [];
  for await (const note of mapInOrder(parts, READS, (part) => committed(table, part, LANDED))) {
    if (note === undefined) {
      throw new LakeletError(
        'LOG_CORRUPT',
        `${printable(table.uri, 300)} does not say that a part has landed, which has: look at its history.`,
      );
    }
    notes.push(note);
  }
  return notes;
}

/** The table at a version: the same answer however often, and however late, it is asked for. */
async function summaryAt(
  { lake, engine }: Context,
  dataset: Dataset,
  table: DeltaTable,
  version: number,
): Promise<TableSummary> {
  const path = bronzePath(dataset);
  if (table.version === version) return summarize(path, table);
  return summarize(path, await DeltaTable.open(lake.at(path), { engine, version }));
}

function landingSql(dataset: Dataset, { sql, source }: DeliveredRows, runId: string, now: Date): string {
  const columns = dataset.columns.map(({ name }) => identifier(name)).join(', ');
  return `SELECT ${columns}, ${literal(runId)} AS run_id, ${literal(source)} AS source,
    CAST(${literal(now.toISOString())} AS TIMESTAMP WITH TIME ZONE) AS ingested_at
  FROM (${sql})`;
}
