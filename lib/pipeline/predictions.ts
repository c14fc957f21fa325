import { z } from 'zod';
import type { DeltaTable } from '../duckdb/delta.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import type { LoggedTraining } from '../mlflow/index.ts';
import { progress } from '../progress.ts';
import { ensembleScorer, kindOf, openServedModel, registryOf, type ServedModel, warningsOf } from '../serving/index.ts';
import type { Context } from './context.ts';
import type { Column, Dataset } from './dataset.ts';
import { appIdOf, commitInfoOf, committed, type StepIdentity } from './identity.ts';
import type { RelationColumn } from './relation.ts';
import { scoreTable } from './scoring.ts';
import { openOrCreate, summarize, type TableSummary } from './table.ts';
import type { Trained } from './training.ts';

/** Where the predictions are. */
export const PREDICTIONS = 'gold/predictions';

/** Its columns: the dataset's key, what was predicted for it and the interval around that, by which model, in which run. */
export function predictionColumns(dataset: Dataset): readonly Column[] {
  const { key } = dataset.identity;
  const type = dataset.silver.columns.find(({ name }) => name === key)?.type ?? 'string';
  return [
    { name: key, type },
    { name: 'predicted', type: 'double' },
    { name: 'lower', type: 'double' },
    { name: 'upper', type: 'double' },
    { name: 'model_version', type: 'string' },
    { name: 'run_id', type: 'string' },
  ];
}

const FACTS = z.object({ silverVersion: z.number(), modelVersion: z.string(), rows: z.number() });

/** Opens the table of the predictions, and makes it first where it is not there. */
export async function openPredictions(context: Context, dataset: Dataset): Promise<DeltaTable> {
  return openOrCreate(context, PREDICTIONS, predictionColumns(dataset));
}

/** What new rows are scored from. */
export interface ScoringSources {
  /** The table of the view `silver`. */
  readonly silver: DeltaTable;
  /** The table of the predictions. */
  readonly table: DeltaTable;
  readonly trained: Trained;
  /** Where the training stands in the registry. */
  readonly logged: LoggedTraining;
}

/** What a run predicted. */
export interface NewPredictions {
  readonly table: TableSummary;
  /** How many rows were scored. */
  readonly rows: number;
  /** The version of the model that scored them. */
  readonly modelVersion?: string;
  /** Why none could be scored, where the champion does not fit silver. */
  readonly reason?: string;
}

/** No champion, or one that can't score silver, does not stand in the way of the next one: the run says so, and ends well. */
const NO_FIT = ['MODEL_NOT_FOUND', 'MODEL_UNSUITABLE', 'MODEL_RUNTIME_MISSING', 'PREDICTION_INVALID'];

/** How often it is tried again when another run predicted in the same moment. */
const ATTEMPTS = 5;

const UNSCORED = 'lakelet_unscored';
const SCORES = 'lakelet_scores';

/**
 * Scores the rows of the view `silver` that have no prediction yet with the champion of this moment, and appends what it
 * says in one commit that carries the step's identity: a step that comes again finds it, wherever the alias went meanwhile.
 * A key is scored once, and keeps its prediction when its row is corrected later.
 *
 * @throws LakeletError what the registry and the tables throw; `CONCURRENT_APPEND`, retryable
 */
export async function scoreNewRows(
  context: Context,
  dataset: Dataset,
  identity: StepIdentity,
  { silver, table, trained, logged }: ScoringSources,
): Promise<NewPredictions> {
  for (let attempt = 1; ; attempt++) {
    await table.refresh();
    const before = await committed(table, identity, FACTS);
    if (before !== undefined) {
      const { rows, modelVersion } = before.facts;
      return { table: await summarize(PREDICTIONS, table), rows, modelVersion };
    }
    try {
      const champion = await championOf(context, dataset, trained, logged);
      const rows = await predict(context, dataset, identity, silver, table, champion);
      return { table: await summarize(PREDICTIONS, table), rows, modelVersion: champion.version };
    } catch (error) {
      if (!(error instanceof LakeletError)) throw error;
      if (error.code === 'CONCURRENT_APPEND' && attempt < ATTEMPTS) continue;
      if (NO_FIT.includes(error.code)) {
        context.log.warn({ code: error.code, reason: error.message }, 'the champion scores no rows');
        return { table: await summarize(PREDICTIONS, table), rows: 0, reason: error.message };
      }
      throw error;
    }
  }
}

/** The champion of this moment: most often the model that was just trained, which is at hand. */
async function championOf(
  { config, records, signal }: Context,
  dataset: Dataset,
  { ensemble }: Trained,
  { modelVersion }: LoggedTraining,
): Promise<ServedModel> {
  const { name } = dataset.model;
  const settings = { ...config, mlflow: { ...config.mlflow, ...(signal !== undefined && { signal }) } };
  const registry = registryOf(settings, records);
  const version = await registry.versionOf(name, 'champion', false);
  if (version === modelVersion) return { name, version, ...ensembleScorer(ensemble) };
  return openServedModel(registry, `${name}@champion`);
}

async function predict(
  context: Context,
  dataset: Dataset,
  identity: StepIdentity,
  silver: DeltaTable,
  table: DeltaTable,
  champion: ServedModel,
): Promise<number> {
  const { engine, log, signal } = context;
  const columns = columnsOf(champion, silver);
  const rows = await selectUnscored(context, dataset, table, columns);
  if (rows === 0) return 0;
  const say = (done: number): void =>
    progress({
      step: 'gold/predict',
      message: 'scoring new rows',
      rows: done,
      total: rows,
      ...(done === rows && { done: true }),
    });
  say(0);
  try {
    const request = { table: UNSCORED, rows, columns, first: 1 };
    const options = { onProgress: say, ...(signal !== undefined && { signal }) };
    const unseen = await scoreTable(engine, request, champion, SCORES, options);
    for (const warning of warningsOf(unseen)) log.warn({ warning }, 'the champion does not know a category');
    const key = identifier(dataset.identity.key);
    const sql = `SELECT ${key}, predicted, lower, upper, ${literal(champion.version)} AS model_version,
      ${literal(identity.runId)} AS run_id FROM ${UNSCORED} POSITIONAL JOIN ${SCORES}`;
    await table.append(
      { sql },
      {
        txn: { appId: appIdOf(identity) },
        commitInfo: commitInfoOf(identity, { silverVersion: silver.version, modelVersion: champion.version, rows }),
        readsTable: true,
        ...(signal !== undefined && { signal }),
      },
    );
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${SCORES}; DROP TABLE ${UNSCORED}`);
  }
  return rows;
}

/** How the champion's features are read from silver. */
function columnsOf({ name, version, features }: ServedModel, silver: DeltaTable): RelationColumn[] {
  return features.map((feature) => {
    const kind = kindOf(feature);
    const field = silver.schema.fields.find((column) => column.name === feature.name);
    const isNumber = typeof field?.type === 'string' && !['string', 'date', 'timestamp', 'binary'].includes(field.type);
    if (field === undefined || (kind === 'numeric' && !isNumber)) {
      throw new LakeletError(
        'MODEL_UNSUITABLE',
        `The champion ${name}@${version} takes a column ${feature.name}, which silver ${field === undefined ? 'does not have' : 'has as no number'}; give the alias champion to a model of silver's columns`,
      );
    }
    return { name: feature.name, kind };
  });
}

/** Collects the rows of silver that have a key and no prediction, with their features; how many there are. */
async function selectUnscored(
  { engine, signal }: Context,
  dataset: Dataset,
  table: DeltaTable,
  features: readonly RelationColumn[],
): Promise<number> {
  const key = identifier(dataset.identity.key);
  const names = new Set([dataset.identity.key, ...features.map(({ name }) => name)]);
  const known = (await table.files()).length > 0;
  if (known) await engine.view('predictions', table, { ...(signal !== undefined && { signal }) });
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE ${UNSCORED} AS SELECT ${[...names].map(identifier).join(', ')} FROM silver
     ${known ? `ANTI JOIN predictions USING (${key})` : ''} WHERE ${key} IS NOT NULL`,
  );
  const [counted] = await engine.rows(`SELECT count(*) AS n FROM ${UNSCORED}`);
  return Number(counted?.n ?? 0);
}
