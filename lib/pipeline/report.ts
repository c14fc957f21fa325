import { z } from 'zod';
import { DeltaTable } from '../duckdb/delta.ts';
import { identifier, literal } from '../duckdb/names.ts';
import type { RunArtifact } from '../mlflow/index.ts';
import type { Answer, ChartData, ChartSpec, Fates, ModelFacts, ReportInput } from '../report/input.ts';
import type { ChampionComparison } from './champion.ts';
import { CODE_VERSION } from './code-version.ts';
import type { Context } from './context.ts';
import type { Aggregate, Dataset } from './dataset.ts';
import { appIdOf } from './identity.ts';
import { RUNS } from './run-log.ts';
import { quarantinePath, silverPath } from './silver.ts';
import { summarize } from './table.ts';
import type { Trained } from './training.ts';

/** Where the lake keeps reports. */
export const REPORTS = 'ops/reports/';

/** The key of a run's report; no two runs share one, and it is a plain file name everywhere. */
export function reportKey(runId: string): string {
  return `${REPORTS}${encodeURIComponent(runId).replace(/^\./, '%2E')}/report.html`;
}

/** What a report is made of, beside what the lake itself tells. */
export interface ReportSources {
  readonly runId: string;
  readonly silver: DeltaTable;
  /** Gold's tables, by the aggregate, as the run left them. */
  readonly targets: ReadonlyMap<Aggregate, DeltaTable>;
  readonly trained: Trained;
  readonly champion: ChampionComparison;
}

/** A report that lies in the lake. */
export interface WrittenReport {
  /** A path where the lake is a folder, else a URI. */
  readonly place: string;
  /** The page and the model's plots, for the training's record. */
  readonly artifacts: readonly RunArtifact[];
}

/**
 * Writes the run's report into the lake, over that of an earlier try, and gives it with the model's plots.
 *
 * @throws LakeletError what the tables and the store throw
 */
export async function writeReport(context: Context, dataset: Dataset, sources: ReportSources): Promise<WrittenReport> {
  const { lake } = context;
  const input = await gather(context, dataset, sources);
  // Loaded where it is needed: the charts' library is large, and other commands do without.
  const { renderReport, trainingPlots } = await import('../report/index.ts');
  const body = new TextEncoder().encode(renderReport(input));
  const key = reportKey(sources.runId);
  await lake.put(key, body);
  return {
    place: lake.localPath(key) ?? `${lake.uri}/${key}`,
    artifacts: [{ path: 'report.html', body }, ...trainingPlots(input.model)],
  };
}

async function gather(context: Context, dataset: Dataset, sources: ReportSources): Promise<ReportInput> {
  const { engine, lake } = context;
  const { runId, silver, targets } = sources;
  const quarantine = await DeltaTable.open(lake.at(quarantinePath(dataset)), { engine });
  const answers: Answer[] = [];
  const tables = [await summarize(silverPath(dataset), silver), await summarize(quarantinePath(dataset), quarantine)];
  for (const [aggregate, table] of targets) {
    const path = `gold/${aggregate.name}`;
    await engine.view('answer', table, context);
    answers.push(await answerOf(context, path, aggregate));
    tables.push(await summarize(path, table));
  }
  const madeAt = Date.now();
  const beganAt = await beginning(context, runId);
  return {
    dataset: dataset.name,
    run: {
      id: runId,
      madeAt,
      ...(beganAt !== undefined && { seconds: Math.max(0, madeAt - beganAt) / 1000 }),
      lake: lake.uri,
      codeVersion: CODE_VERSION,
    },
    answers,
    fates: await fatesOf(context, runId, silver, quarantine),
    model: modelOf(dataset, sources),
    tables,
  };
}

/** Rows of a table that a report is given, and bars or points of a chart. */
const MOST_ROWS = 50;
const MOST_POINTS = 120;

async function answerOf({ engine }: Context, table: string, { columns, charts = [] }: Aggregate): Promise<Answer> {
  const [counted] = await engine.rows('SELECT count(*) AS n FROM answer');
  const drawn: ChartData[] = [];
  for (const chart of charts) drawn.push(await chartOf(engine, chart));
  return {
    table,
    columns: columns.map(({ name }) => name),
    rows: await engine.rows(`SELECT * FROM answer LIMIT ${MOST_ROWS}`),
    rowCount: Number(counted?.n ?? 0),
    charts: drawn,
  };
}

/** The chart's figures, added up by DuckDB: the greatest bars, or the latest points. */
async function chartOf(engine: Context['engine'], chart: ChartSpec): Promise<ChartData> {
  const by = chart.by.map(identifier);
  const isLine = chart.kind === 'line';
  const found =
    await engine.rows(`SELECT *, count(*) OVER () AS "groups of all", sum("sum of all") OVER () AS "total of all"
    FROM (SELECT ${by.join(', ')}, coalesce(sum(${identifier(chart.measure)}), 0)::DOUBLE AS "sum of all" FROM answer GROUP BY ALL)
    ORDER BY ${isLine ? by.map((name) => `${name} DESC`).join(', ') : `"sum of all" DESC, ${by.join(', ')}`} LIMIT ${MOST_POINTS}`);
  const points = found.map((row) => ({
    label: chart.by.map((name) => partOf(row[name], isLine)).join(isLine ? '-' : ', '),
    value: Number(row['sum of all']),
  }));
  return {
    ...chart,
    points: isLine ? points.toReversed() : points,
    groups: Number(found[0]?.['groups of all'] ?? 0),
    total: Number(found[0]?.['total of all'] ?? 0),
  };
}

/** A part of a group's name; a month has two figures, as dates are written. */
function partOf(value: unknown, isTime: boolean): string {
  const text = value === null || value === undefined ? '(missing)' : String(value);
  return isTime ? text.padStart(2, '0') : text;
}

const COUNTS = z.object({
  in: z.number(),
  good: z.number(),
  quarantined: z.number(),
  duplicates: z.number(),
  rejected: z.number(),
});
const NOTE = z.looseObject({ lakelet: z.looseObject({ runId: z.string(), run: COUNTS, all: COUNTS }) });

/** What silver's own commit tells of the records; of a version that something else made, nothing is told. */
async function fatesOf(
  { engine, ...context }: Context,
  runId: string,
  silver: DeltaTable,
  quarantine: DeltaTable,
): Promise<Fates> {
  const note = NOTE.safeParse(await silver.commitInfo(silver.version));
  await engine.view('quarantine', quarantine, context);
  const rules = await engine.rows(
    'SELECT rule, min(reason) AS reason, count(*) AS n FROM quarantine GROUP BY rule ORDER BY n DESC, rule',
  );
  return {
    ...(note.success && { all: note.data.lakelet.all }),
    ...(note.success && note.data.lakelet.runId === runId && { run: note.data.lakelet.run }),
    quarantine: rules.map(({ rule, reason, n }) => ({
      rule: String(rule),
      reason: String(reason),
      rows: Number(n),
    })),
  };
}

/** When bronze began, as ops/runs tells; undefined where this run had no bronze. */
async function beginning({ engine, lake, signal }: Context, runId: string): Promise<number | undefined> {
  const runs = await DeltaTable.open(lake.at(RUNS), { engine });
  const version = await runs.txnVersion(appIdOf({ runId, step: 'bronze' }));
  if (version === undefined) return undefined;
  await engine.view('runs', runs, { ...(signal !== undefined && { signal }) });
  const [first] = await engine.rows(
    `SELECT epoch_ms(min(started_at)) AS at FROM runs WHERE step = 'bronze' AND run_id = ${literal(runId)}`,
  );
  return first?.at === null || first?.at === undefined ? undefined : Number(first.at);
}

function modelOf(dataset: Dataset, { trained, champion: { present } }: ReportSources): ModelFacts {
  const { findings, heldOut } = trained;
  const { curve, intervals } = findings;
  const score = present?.score;
  return {
    name: dataset.model.name,
    target: dataset.model.target,
    algorithm: trained.algorithm,
    trees: trained.trees,
    features: trained.model.features.map(({ name }) => name),
    rows: trained.rows,
    seconds: trained.seconds,
    split: trained.split,
    scores: trained.metrics,
    comparisons: trained.comparisons.map(({ name, metrics }) => ({
      name,
      scores: { ...metrics, rmse: metrics.rmse ?? Number.NaN },
    })),
    ...(present !== undefined &&
      score !== undefined && {
        champion: {
          name: `version ${present.version}`,
          scores: { ...score.metrics, rmse: score.rmse },
          better: score.better,
          pValue: score.pValue,
          difference: score.difference,
        },
      }),
    ...(present !== undefined &&
      score === undefined && {
        withoutChampion: `The champion, version ${present.version}, can't be scored on these rows, so the two are not compared.`,
      }),
    importances: trained.model.importances ?? [],
    permutation: findings.permutation,
    actual: heldOut.target,
    predicted: heldOut.predicted,
    segments: findings.segments,
    ...(curve !== undefined && { curve }),
    ...(intervals !== undefined && {
      intervals: {
        level: intervals.level,
        coverage: intervals.metrics.coverage,
        meanWidth: intervals.metrics.meanWidth,
      },
    }),
  };
}
