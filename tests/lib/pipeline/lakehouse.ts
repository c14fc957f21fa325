import { purchases } from '../../../datasets/purchases/index.ts';
import { loadConfig } from '../../../lib/config.ts';
import { DeltaTable } from '../../../lib/duckdb/delta.ts';
import { DuckDBEngine } from '../../../lib/duckdb/engine.ts';
import { logger } from '../../../lib/logger.ts';
import { runBronze } from '../../../lib/pipeline/bronze.ts';
import type { Context } from '../../../lib/pipeline/context.ts';
import { bronzeEvent, goldEvent, silverEvent } from '../../../lib/pipeline/events.ts';
import { runGold } from '../../../lib/pipeline/gold.ts';
import type { StepSummary } from '../../../lib/pipeline/run-log.ts';
import { runSilver } from '../../../lib/pipeline/silver.ts';
import { MemoryStore, type ObjectStore } from '../../../lib/storage/index.ts';

/** All tables of the default dataset. */
export const TABLES = [
  'bronze/purchases',
  'silver/purchases',
  'silver/purchases_quarantine',
  'gold/purchases_by_category',
  'gold/purchases_by_demographics',
  'gold/purchases_by_period',
  'gold/predictions',
  'ops/runs',
];

/** Few rows and trees, so that a run takes a moment. */
const SMALL = { rows: 2000, trees: 2, maxDepth: 4 };

/** The three steps over one lake, each with an engine of its own, as in Lambdas. */
export class Lakehouse {
  readonly lake: ObjectStore;
  readonly records: ObjectStore;

  /** The environment that the steps read their settings from. */
  readonly env: Readonly<Record<string, string>>;

  constructor(lake: ObjectStore, records: ObjectStore = new MemoryStore(), env: Readonly<Record<string, string>> = {}) {
    this.lake = lake;
    this.records = records;
    this.env = env;
  }

  /** The same lake through another store. */
  through(lake: ObjectStore): Lakehouse {
    return new Lakehouse(lake, this.records, this.env);
  }

  /** The same lake in another environment. */
  under(env: Readonly<Record<string, string>>): Lakehouse {
    return new Lakehouse(this.lake, this.records, env);
  }

  bronze(event: object): Promise<StepSummary> {
    return this.with((context) => runBronze(context, purchases, bronzeEvent.parse({ ...SMALL, ...event })));
  }

  silver(event: object): Promise<StepSummary> {
    return this.with((context) => runSilver(context, purchases, silverEvent.parse({ ...SMALL, ...event })));
  }

  gold(event: object): Promise<StepSummary> {
    return this.with((context) => runGold(context, purchases, goldEvent.parse({ ...SMALL, ...event })));
  }

  async all(event: object): Promise<readonly [StepSummary, StepSummary, StepSummary]> {
    return [await this.bronze(event), await this.silver(event), await this.gold(event)];
  }

  async with<T>(use: (context: Context) => Promise<T>): Promise<T> {
    const { lake, records, env } = this;
    const engine = await DuckDBEngine.open();
    try {
      return await use({
        config: loadConfig({ LOG_LEVEL: 'silent', ...env }),
        lake,
        records,
        engine,
        log: logger('test'),
      });
    } finally {
      engine.close();
    }
  }

  /** A query's rows, over the lake's tables as `bronze.purchases` and so on. */
  query(sql: string): Promise<Record<string, unknown>[]> {
    return this.with(async ({ lake, engine }) => {
      for (const path of TABLES) {
        const store = lake.at(path);
        if (!(await DeltaTable.exists(store))) continue;
        const name = path.split('/');
        await engine.run(`CREATE SCHEMA IF NOT EXISTS "${name[0]}"`);
        await engine.view(name, await DeltaTable.open(store, { engine }));
      }
      return engine.rows(sql);
    });
  }

  /** Each table's newest version. */
  async versions(): Promise<Record<string, number>> {
    return this.with(async ({ lake, engine }) => {
      const versions: Record<string, number> = {};
      for (const path of TABLES) versions[path] = (await DeltaTable.open(lake.at(path), { engine })).version;
      return versions;
    });
  }

  /**
   * A number for each table's rows, the same for the same rows in any order. What only says when they came is left out, and
   * of predictions all but the key: which model was champion then depends on the runs before.
   */
  async contents(paths: readonly string[] = TABLES.filter((path) => path !== 'ops/runs')): Promise<unknown[]> {
    const sums = paths.map((path) => {
      const columns = path.startsWith('gold/purchases') ? '*' : '* EXCLUDE (ingested_at)';
      return `SELECT '${path}' AS path, count(*) AS n, sum(hash(t)::HUGEINT)::VARCHAR AS rows
        FROM (SELECT ${path === 'gold/predictions' ? 'purchase_id' : columns} FROM ${path.replace('/', '.')}) AS t`;
    });
    return this.query(`${sums.join(' UNION ALL ')} ORDER BY path`);
  }
}
