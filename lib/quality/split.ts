import type { Expectation } from './expectation.ts';

/** What the split must know of a dataset; a pipeline's dataset satisfies it. */
export interface SplitRules {
  /** The columns that a source delivers. */
  readonly columns: readonly { readonly name: string }[];
  readonly identity: {
    /** The column that names the thing. */
    readonly key: string;
    /** Of one key the greatest counts. */
    readonly updatedAt: string;
  };
  readonly expectations: readonly Expectation[];
}

/** The columns that bronze notes beside those that a source delivers; `ingested_at` says which delivery came first. */
export const LANDING_COLUMNS = ['run_id', 'source', 'ingested_at'] as const;

/**
 * SQL statements that divide the view `bronze` (all of bronze: the dataset's columns and LANDING_COLUMNS). After them the
 * connection has, as temporary views,
 *
 * - `good`: bronze's columns; of each key the one record that counts, where it satisfies every expectation
 * - `quarantined`: bronze's columns, then `rule` and `reason` of the first expectation that the record breaks
 * - `fates`: a row a run of bronze: `run_id`, and the counts `in`, `good`, `quarantined` and `duplicates`
 *
 * Of the records of one key the latest update counts; among equals the one that was delivered first, so that a second
 * delivery of the same data changes nothing. What remains is judged, not what it replaced: a correction may heal a record.
 * Records without a key are each on their own, and quarantined.
 */
export function splitSql(rules: SplitRules): string {
  const key = identifier(rules.identity.key);
  const updatedAt = identifier(rules.identity.updatedAt);
  const order = [
    `${updatedAt} DESC NULLS LAST`,
    'ingested_at',
    'run_id',
    ...rules.columns.map((column) => identifier(column.name)),
  ];
  const checks = judged(rules);
  const broken = checks.map(({ condition }, at) => `WHEN (${condition}) IS NOT TRUE THEN ${at}`).join('\n    ');
  const named = (what: 'rule' | 'reason') =>
    `CASE "broken rule" ${checks.map((check, at) => `WHEN ${at} THEN ${literal(check[what])}`).join(' ')} END AS ${what}`;
  return `
CREATE OR REPLACE TEMP TABLE "split" AS
  SELECT *, CASE
    ${broken}
    END AS "broken rule"
  FROM bronze
  QUALIFY ${key} IS NULL OR row_number() OVER (PARTITION BY ${key} ORDER BY ${order.join(', ')}) = 1;
CREATE OR REPLACE TEMP VIEW good AS
  SELECT * EXCLUDE ("broken rule") FROM "split" WHERE "broken rule" IS NULL;
CREATE OR REPLACE TEMP VIEW quarantined AS
  SELECT * EXCLUDE ("broken rule"), ${named('rule')}, ${named('reason')} FROM "split" WHERE "broken rule" IS NOT NULL;
CREATE OR REPLACE TEMP VIEW fates AS
  SELECT run_id, sum("in")::BIGINT AS "in", sum(good)::BIGINT AS good, sum(quarantined)::BIGINT AS quarantined,
    (sum("in") - sum(good) - sum(quarantined))::BIGINT AS duplicates
  FROM (
    SELECT run_id, count(*) AS "in", 0 AS good, 0 AS quarantined FROM bronze GROUP BY run_id
    UNION ALL
    SELECT run_id, 0, count(*) FILTER ("broken rule" IS NULL), count("broken rule") FROM "split" GROUP BY run_id
  ) GROUP BY run_id ORDER BY run_id;
`;
}

/** The expectations, after the one that the split itself has: a record must have a key. */
function judged({ identity, expectations }: SplitRules): Expectation[] {
  const { key } = identity;
  return [
    { rule: `${key}_missing`, condition: `${identifier(key)} IS NOT NULL`, reason: `The record has no ${key}.` },
    ...expectations,
  ];
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
