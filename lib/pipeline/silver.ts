import { z } from 'zod';
import type { DeltaTable } from '../duckdb/delta.ts';
import { identifier, literal } from '../duckdb/names.ts';
import { progress } from '../progress.ts';
import { type Accounting, checkAccounting } from '../quality/accounting.ts';
import { DROP_SPLIT, splitSql } from '../quality/split.ts';
import { bronzeColumns, bronzePath } from './bronze.ts';
import type { Context } from './context.ts';
import type { Column, Dataset } from './dataset.ts';
import type { SilverEvent } from './events.ts';
import { committed, type StepIdentity } from './identity.ts';
import { publish } from './publish.ts';
import { runOnce, type StepSummary } from './run-log.ts';
import { readSql } from './sql-file.ts';
import { openInput, openOrCreate, summarize } from './table.ts';

const COUNTS = z.object({
  in: z.number(),
  good: z.number(),
  quarantined: z.number(),
  duplicates: z.number(),
  rejected: z.number(),
});
const FACTS = z.object({ bronzeVersion: z.number(), run: COUNTS, all: COUNTS });
type Facts = z.output<typeof FACTS>;

/** Where a dataset's clean records are. */
export function silverPath({ name }: Pick<Dataset, 'name'>): string {
  return `silver/${name}`;
}

/** Where the records that broke a rule are. */
export function quarantinePath({ name }: Pick<Dataset, 'name'>): string {
  return `silver/${name}_quarantine`;
}

/** The quarantine's columns: bronze's, the rule that the record broke, and why that matters. */
export function quarantineColumns(dataset: Pick<Dataset, 'columns'>): readonly Column[] {
  return [...bronzeColumns(dataset), { name: 'rule', type: 'string' }, { name: 'reason', type: 'string' }];
}

/**
 * Makes silver and its quarantine anew from all of bronze at one version: one record a key, judged by the expectations,
 * cleaned by the dataset's SQL. All records are accounted for before anything is published.
 *
 * The quarantine is published first and silver last: silver is what others read and what says that the step is done, so
 * a step that was stopped between the two is done again, finds its quarantine, and makes it anew if bronze has grown.
 *
 * @throws LakeletError `TABLE_NOT_FOUND` where bronze is not there, `ACCOUNTING_BROKEN`, `RUN_ID_REUSED`, what the tables
 *   throw
 */
export async function runSilver(context: Context, dataset: Dataset, { runId }: SilverEvent): Promise<StepSummary> {
  const identity: StepIdentity = { runId, step: 'silver', parameters: { dataset: dataset.name } };
  return runOnce(context, identity, async () => {
    const bronze = await openInput(context, bronzePath(dataset), 'bronze');
    const targets = await openTargets(context, dataset);
    const facts = (await published(targets, identity)) ?? (await refine(context, dataset, identity, bronze, targets));
    return {
      accounting: facts.run,
      summary: {
        tables: [
          await summarize(silverPath(dataset), targets.silver),
          await summarize(quarantinePath(dataset), targets.quarantine),
        ],
        accounting: { run: facts.run, all: facts.all },
      },
    };
  });
}

/** What the step noted when it published both tables; undefined where one is missing, or they are of different inputs. */
async function published({ silver, quarantine }: Targets, identity: StepIdentity): Promise<Facts | undefined> {
  const clean = await committed(silver, identity, FACTS);
  const apart = await committed(quarantine, identity, FACTS);
  return clean?.facts.bronzeVersion === apart?.facts.bronzeVersion ? clean?.facts : undefined;
}

interface Targets {
  readonly quarantine: DeltaTable;
  readonly silver: DeltaTable;
}

async function openTargets(context: Context, dataset: Dataset): Promise<Targets> {
  const [quarantine, silver] = await Promise.all([
    openOrCreate(context, quarantinePath(dataset), quarantineColumns(dataset)),
    openOrCreate(context, silverPath(dataset), dataset.silver.columns),
  ]);
  return { quarantine, silver };
}

async function refine(
  context: Context,
  dataset: Dataset,
  identity: StepIdentity,
  bronze: DeltaTable,
  { quarantine, silver }: Targets,
): Promise<Facts> {
  const { engine } = context;
  // Looked at again now that the targets are loaded: see publish.
  await bronze.refresh();
  const { rows } = await summarize(bronzePath(dataset), bronze);
  const total = rows ?? undefined;
  const say = (message: string): void => progress({ step: 'silver', message, ...(total !== undefined && { total }) });
  say('telling duplicates and broken rules');
  await engine.view('bronze', bronze, context);
  await engine.run(splitSql(dataset));
  const sql = readSql(dataset.silver.sqlFile);
  const facts = { bronzeVersion: bronze.version, ...(await account(context, dataset, identity.runId, sql)) };
  const isThere = async (table: DeltaTable): Promise<boolean> =>
    (await committed(table, identity, FACTS))?.facts.bronzeVersion === bronze.version;
  if (!(await isThere(quarantine))) {
    say('quarantining');
    await publish(context, quarantine, 'SELECT * FROM quarantined', identity, facts);
  }
  if (!(await isThere(silver))) {
    say('cleaning');
    await publish(context, silver, sql, identity, facts);
  }
  await engine.run(DROP_SPLIT);
  progress({ step: 'silver', rows: facts.all.in, total: facts.all.in, done: true });
  return facts;
}

/** Counts what came in, by bronze, against what goes out, by what is about to be published. */
async function account(
  { engine }: Context,
  dataset: Dataset,
  runId: string,
  sql: string,
): Promise<Pick<Facts, 'run' | 'all'>> {
  const key = identifier(dataset.identity.key);
  const [counted] = await engine.rows(`SELECT
    (SELECT count(*) FROM bronze) AS "in",
    (SELECT count(*) FROM (${sql})) AS good,
    (SELECT count(*) FROM quarantined) AS quarantined,
    (SELECT count(*) - count(DISTINCT ${key}) - count(*) FILTER (${key} IS NULL) FROM bronze) AS duplicates`);
  const [own] = await engine.rows(`SELECT * FROM fates WHERE run_id = ${literal(runId)}`);
  const all = countsOf(counted);
  const run = countsOf(own);
  checkAccounting(run, `run ${runId}`);
  checkAccounting(all, bronzePath(dataset));
  return { run, all };
}

/** The counts of a row; a run that delivered nothing has none. */
function countsOf(row: Record<string, unknown> | undefined): Accounting {
  const count = (name: string): number => Number(row?.[name] ?? 0);
  return {
    in: count('in'),
    good: count('good'),
    quarantined: count('quarantined'),
    duplicates: count('duplicates'),
    rejected: 0,
  };
}
