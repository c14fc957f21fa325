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

/**
 * SQL statements, to be run as one, that divide the view `bronze`: all of bronze, the dataset's columns and run_id, source,
 * ingested_at. After them the connection has, as temporary views,
 *
 * - `good`: bronze's columns; of each key the one record that counts, where it satisfies every expectation
 * - `quarantined`: bronze's columns, then `rule` and `reason` of the first expectation that the record breaks; sorted by key
 * - `fates`: a row a run, by run_id: `run_id`, and the counts (BIGINT) `in`, `good`, `quarantined`, `duplicates`
 *
 * They stand on the temporary table `split`, which holds the records that count and is dropped by {@link DROP_SPLIT}.
 *
 * Of the records of one key the latest update counts; among equals the one that was delivered first, so that a second
 * delivery of the same data changes nothing. What is judged is the record that counts, not those that it replaced: a
 * correction may heal a record, or spoil it. A record without a key stands for itself alone, and is quarantined.
 */
export function splitSql(rules: SplitRules): string {
  return [DROP_SPLIT, latestSql(rules), landSql(rules), dropTiesSql(rules), viewsSql(rules)].join('\n');
}

/** Drops what {@link splitSql} made, and frees its memory; without effect where there is nothing. */
export const DROP_SPLIT = `
DROP VIEW IF EXISTS temp.fates;
DROP VIEW IF EXISTS temp.quarantined;
DROP VIEW IF EXISTS temp.good;
DROP TABLE IF EXISTS temp."split";
DROP TABLE IF EXISTS temp."split latest";`;

/** Of each key that has several records: the place of the one that counts. Narrow, and small where most keys have one. */
function latestSql(rules: SplitRules): string {
  const key = identifier(rules.identity.key);
  return `
CREATE TEMP TABLE "split latest" AS
  SELECT ${key} AS "split key", max(${place(rules)}) AS "split place"
  FROM bronze WHERE ${key} IS NOT NULL GROUP BY ${key} HAVING count(*) > 1;`;
}

/** The records that count (and those that tie with them in update and delivery), each with the number of the rule it breaks. */
function landSql(rules: SplitRules): string {
  const key = identifier(rules.identity.key);
  // Nested, so that each condition is asked only of the records that passed those before it.
  const broken = judged(rules).reduceRight(
    (rest, { condition }, at) => `CASE WHEN (${condition}\n) THEN ${rest} ELSE ${at} END`,
    'NULL::INTEGER',
  );
  return `
CREATE TEMP TABLE "split" AS
  SELECT bronze.*, ${broken} AS "split rule"
  FROM bronze LEFT JOIN "split latest" ON ${key} = "split key"
  WHERE "split key" IS NULL OR ${place(rules)} = "split place";`;
}

/** Records of one key, one update and one delivery: the least by all of their columns stays, in whatever order they lie. */
function dropTiesSql(rules: SplitRules): string {
  const key = identifier(rules.identity.key);
  const all = ['run_id', 'source', ...rules.columns.map((column) => identifier(column.name))].join(', ');
  return `
DELETE FROM "split" WHERE rowid IN (
  SELECT rowid FROM "split"
  WHERE ${key} IN (
    SELECT ${key} FROM "split" SEMI JOIN "split latest" ON ${key} = "split key" GROUP BY ${key} HAVING count(*) > 1
  )
  QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${all}) > 1
);`;
}

function viewsSql(rules: SplitRules): string {
  const named = (what: 'rule' | 'reason'): string => {
    const words = judged(rules).map((expectation, at) => `WHEN ${at} THEN ${literal(expectation[what])}`);
    return `CASE "split rule" ${words.join(' ')} END AS ${what}`;
  };
  const order = [rules.identity.key, ...rules.columns.map((column) => column.name)].map(identifier);
  return `
CREATE TEMP VIEW good AS
  SELECT * EXCLUDE ("split rule") FROM "split" WHERE "split rule" IS NULL;
CREATE TEMP VIEW quarantined AS
  SELECT * EXCLUDE ("split rule"), ${named('rule')}, ${named('reason')}
  FROM "split" WHERE "split rule" IS NOT NULL ORDER BY ${order.join(', ')};
CREATE TEMP VIEW fates AS
  SELECT run_id, "in", coalesce(good, 0) AS good, coalesce(quarantined, 0) AS quarantined,
    "in" - coalesce(kept, 0) AS duplicates
  FROM (SELECT run_id, count(*) AS "in" FROM bronze GROUP BY run_id)
  LEFT JOIN (
    SELECT run_id, count(*) AS kept, count(*) FILTER ("split rule" IS NULL) AS good, count("split rule") AS quarantined
    FROM "split" GROUP BY run_id
  ) USING (run_id)
  ORDER BY run_id;`;
}

/** What the records of a key are compared by, as bytes that sort as the values do; the greatest counts. */
function place({ identity }: SplitRules): string {
  return `create_sort_key(${identifier(identity.updatedAt)}, 'ASC NULLS FIRST', ingested_at, 'DESC NULLS LAST')`;
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
