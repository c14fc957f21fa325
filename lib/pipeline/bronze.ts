import { z } from 'zod';
import type { DeltaTable } from '../duckdb/delta.ts';
import { identifier, literal } from '../duckdb/names.ts';
import type { Context } from './context.ts';
import type { Column, Dataset, DeliveredRows } from './dataset.ts';
import type { BronzeEvent } from './events.ts';
import { appIdOf, type Committed, commitInfoOf, committed, reused, type StepIdentity } from './identity.ts';
import { runOnce, type StepSummary } from './run-log.ts';
import { openOrCreate, summarize } from './table.ts';

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
 * Lands a delivery as it came: appends it to `bronze/<name>` with the run's id, the source and the moment, in one commit.
 * A shard is a commit of its own.
 *
 * @throws LakeletError `RUN_ID_REUSED`, what the source and the table throw
 */
export async function runBronze(context: Context, dataset: Dataset, event: BronzeEvent): Promise<StepSummary> {
  const { runId, rows, seed, shards, shard } = event;
  const identity: StepIdentity = {
    runId,
    step: 'bronze',
    ...(shard !== undefined && { shard }),
    parameters: { dataset: dataset.name, rows, seed, shards },
  };
  return runOnce(context, identity, async () => {
    const table = await openOrCreate(context, bronzePath(dataset), bronzeColumns(dataset));
    await refuseOtherParts(table, identity, shards);
    const before = await committed(table, identity, LANDED);
    const { facts } = before ?? (await land(context, table, dataset, event, identity));
    await table.refresh();
    return {
      summary: {
        tables: [await summarize(bronzePath(dataset), table)],
        delivered: { rows: facts.rows, source: facts.source, seed, shards, ...(shard !== undefined && { shard }) },
      },
    };
  });
}

/** A run lands whole or in shards, all by the same parameters; both would land records twice. */
async function refuseOtherParts(table: DeltaTable, identity: StepIdentity, shards: number): Promise<void> {
  const { runId, step, parameters, shard } = identity;
  if (shard !== undefined && (await committed(table, { runId, step, parameters }, LANDED)) !== undefined) {
    throw reused(identity, `it landed whole, so that shard ${shard} is there`);
  }
  for (let other = 0; other < shards; other++) {
    const landed = await committed(table, { ...identity, shard: other }, LANDED);
    if (landed !== undefined && shard === undefined) {
      throw reused(identity, `it landed in shards, of which number ${other} is there`);
    }
  }
}

async function land(
  context: Context,
  table: DeltaTable,
  dataset: Dataset,
  event: BronzeEvent,
  identity: StepIdentity,
): Promise<Committed<Landed>> {
  const { rows, seed, shards, shard } = event;
  const delivered = dataset.deliver(context.engine.connection, {
    rows,
    seed,
    shards,
    ...(shard !== undefined && { shard }),
  });
  const facts = { rows: delivered.rows, source: delivered.source };
  const { version } = await table.append(
    { sql: landingSql(dataset, delivered, identity.runId, new Date()) },
    {
      txn: { appId: appIdOf(identity) },
      commitInfo: commitInfoOf(identity, facts),
      ...(context.signal !== undefined && { signal: context.signal }),
    },
  );
  return { version, facts };
}

function landingSql(dataset: Dataset, { sql, source }: DeliveredRows, runId: string, now: Date): string {
  const columns = dataset.columns.map(({ name }) => identifier(name)).join(', ');
  return `SELECT ${columns}, ${literal(runId)} AS run_id, ${literal(source)} AS source,
    CAST(${literal(now.toISOString())} AS TIMESTAMP WITH TIME ZONE) AS ingested_at
  FROM (${sql})`;
}
