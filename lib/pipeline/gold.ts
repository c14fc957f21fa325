import { z } from 'zod';
import { mapAll } from '../concurrency.ts';
import type { DeltaTable } from '../duckdb/delta.ts';
import { type LoggedTraining, logTraining } from '../mlflow/index.ts';
import { progress } from '../progress.ts';
import { type ChampionComparison, compareWithChampion } from './champion.ts';
import { CODE_VERSION } from './code-version.ts';
import type { Context } from './context.ts';
import type { Aggregate, Dataset } from './dataset.ts';
import type { GoldEvent } from './events.ts';
import { readFeatures } from './features.ts';
import { committed, type StepIdentity } from './identity.ts';
import { openPredictions, scoreNewRows } from './predictions.ts';
import { publish } from './publish.ts';
import { type WrittenReport, writeReport } from './report.ts';
import { runOnce, type StepSummary } from './run-log.ts';
import { silverPath } from './silver.ts';
import { readSql } from './sql-file.ts';
import { openInput, openOrCreate, summarize } from './table.ts';
import { type Trained, train } from './training.ts';

/** Where an aggregate is. */
export function goldPath({ name }: Pick<Aggregate, 'name'>): string {
  return `gold/${name}`;
}

/**
 * Makes gold anew from silver at one version: the aggregates, then the model with its report, which is logged to MLflow, or
 * recorded where there is no server, then the champion's predictions for rows that have none. A server that can't take the
 * training fails the step, with the aggregates published and the record kept; the step can be repeated.
 *
 * @throws LakeletError `TABLE_NOT_FOUND` where silver is not there, `TOO_FEW_ROWS`, `RUN_ID_REUSED`, what the tables, the
 *   forest and MLflow throw
 */
export async function runGold(context: Context, dataset: Dataset, event: GoldEvent): Promise<StepSummary> {
  const identity: StepIdentity = { runId: event.runId, step: 'gold', parameters: parametersOf(dataset, event) };
  return runOnce(context, identity, async () => {
    const silver = await openInput(context, silverPath(dataset), 'silver');
    const targets = await openTargets(context, dataset);
    const predictions = await openPredictions(context, dataset);
    // Looked at again now that the targets are loaded: see publish.
    await silver.refresh();
    await context.engine.view('silver', silver, context);
    await aggregateAll(context, identity, silver, targets);
    const startedAt = Date.now();
    const trained = await train(await readFeatures(context.engine, dataset, event.split), event, context.signal);
    const { heldOut, model } = trained;
    const champion = await compareWithChampion(context, dataset.model.name, heldOut, model.features);
    const report = await writeReport(context, dataset, { runId: event.runId, silver, targets, trained, champion });
    const logged = await log(context, dataset, event, silver, trained, champion, report, startedAt);
    const scoring = { silver, table: predictions, trained, logged };
    const { table: scored, ...predicted } = await scoreNewRows(context, dataset, identity, scoring);
    const tables = [];
    for (const [aggregate, table] of targets) tables.push(await summarize(goldPath(aggregate), table));
    tables.push(scored);
    return {
      summary: {
        tables,
        ...modelSummary(dataset, trained, champion, logged),
        predictions: predicted,
        report: report.place,
      },
    };
  });
}

/** What gold's result depends on beside silver. Options that came later are told where they are not the default, so that runs from before them stay the same. */
function parametersOf(dataset: Dataset, event: GoldEvent): StepIdentity['parameters'] {
  const { seed, algorithm, trees, maxDepth, split, baseline } = event;
  return {
    dataset: dataset.name,
    seed,
    trees,
    maxDepth,
    baseline,
    ...(algorithm !== 'forest' && { algorithm }),
    ...(split !== 'random' && { split }),
  };
}

/** How many tables are opened at once. */
const TABLES_AT_ONCE = 8;

/** The aggregates' tables, by the aggregate, in the dataset's order. */
async function openTargets(context: Context, { gold }: Dataset): Promise<ReadonlyMap<Aggregate, DeltaTable>> {
  const open = async (aggregate: Aggregate): Promise<[Aggregate, DeltaTable]> => [
    aggregate,
    await openOrCreate(context, goldPath(aggregate), aggregate.columns),
  ];
  return new Map(await mapAll(gold, TABLES_AT_ONCE, open));
}

async function aggregateAll(
  context: Context,
  identity: StepIdentity,
  silver: DeltaTable,
  targets: ReadonlyMap<Aggregate, DeltaTable>,
): Promise<void> {
  const facts = z.object({ silverVersion: z.number() });
  let done = 0;
  for (const [aggregate, table] of targets) {
    progress({ step: 'gold', message: `aggregating ${aggregate.name}`, rows: done, total: targets.size });
    const before = await committed(table, identity, facts);
    if (before?.facts.silverVersion !== silver.version) {
      await publish(context, table, readSql(aggregate.sqlFile), identity, { silverVersion: silver.version });
    }
    done++;
  }
  progress({ step: 'gold', rows: done, total: targets.size, done: true });
}

async function log(
  context: Context,
  dataset: Dataset,
  event: GoldEvent,
  silver: DeltaTable,
  trained: Trained,
  champion: ChampionComparison,
  { artifacts }: WrittenReport,
  startedAt: number,
): Promise<LoggedTraining> {
  const { config, records, signal } = context;
  return logTraining(
    {
      runId: event.runId,
      startedAt,
      endedAt: Date.now(),
      params: { ...trained.params, split: event.split, silver_version: silver.version },
      metrics: metricsOf(trained),
      ...(trained.findings.curve !== undefined && {
        curves: [{ name: trained.findings.curve.name, values: [...trained.findings.curve.values] }],
      }),
      tags: { 'lakelet.version': CODE_VERSION, 'mlflow.source.name': `lakelet gold (${dataset.name})` },
      dataset: {
        name: silverPath(dataset),
        uri: silver.uri,
        version: silver.version,
        predicate: trained.predicate,
        columns: silver.schema.fields.map(({ name, type, nullable }) => ({
          name,
          type: typeof type === 'string' ? type : type.type,
          nullable,
        })),
        profile: {
          num_rows: trained.rows + trained.heldOut.rows,
          num_train: trained.rows,
          num_held_out: trained.heldOut.rows,
        },
      },
      model: { ...trained.model, name: dataset.model.name },
      heldOut: trained.heldOut,
      children: trained.comparisons,
      artifacts,
    },
    { ...config.mlflow, records, evaluateChampion: champion.evaluate, ...(signal !== undefined && { signal }) },
  );
}

/** All scores of one training. */
function metricsOf({ metrics, seconds, findings: { intervals } }: Trained): Record<string, number> {
  return {
    ...metrics,
    seconds,
    ...(intervals !== undefined && {
      interval_coverage: intervals.metrics.coverage,
      interval_mean_width: intervals.metrics.meanWidth,
    }),
  };
}

function modelSummary(
  dataset: Dataset,
  trained: Trained,
  { present }: ChampionComparison,
  logged: LoggedTraining,
): Record<string, unknown> {
  return {
    model: {
      name: dataset.model.name,
      algorithm: trained.algorithm,
      ...trained.metrics,
      trees: trained.trees,
      rows: trained.rows,
      heldOut: trained.heldOut.rows,
      seconds: trained.seconds,
    },
    comparisons: [
      ...trained.comparisons.map(({ name, metrics }) => ({ name, ...metrics })),
      ...(present?.score === undefined
        ? []
        : [{ name: `the champion, version ${present.version}`, ...present.score.metrics }]),
    ],
    importances: (trained.model.importances ?? []).toSorted((a, b) => b.importance - a.importance),
    mlflow: {
      version: logged.modelVersion,
      champion: logged.champion,
      reason: logged.reason,
      uri: logged.uri,
    },
  };
}
