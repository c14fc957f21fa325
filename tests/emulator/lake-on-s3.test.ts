import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { Checkout, type Ended } from '../checkout.ts';
import { startServerDouble } from '../lib/mlflow/server-double.ts';
import { BUCKET, environment, type S3Server, START_TIMEOUT, startS3 } from './s3-servers.ts';

const LAKE = `s3://${BUCKET}/shop/lake`;
const RUN = ['run', '--rows', '100000', '--seed', '7', '--trees', '10', '--run-id', 'same'];

/** What must be the same in two runs: all columns but those that tell of the run, and of the order of additions. */
const SAME: Readonly<Record<string, string>> = {
  'bronze.purchases': '* EXCLUDE (run_id, ingested_at)',
  'silver.purchases': '* EXCLUDE (run_id, ingested_at)',
  'silver.purchases_quarantine': '* EXCLUDE (run_id, ingested_at)',
  'gold.purchases_by_category': rounded('product_category'),
  'gold.purchases_by_demographics': rounded('age_group, education, income_category'),
  'gold.purchases_by_period': rounded('year, month'),
  'gold.predictions': 'purchase_id, predicted, lower, upper, model_version',
};

function rounded(group: string): string {
  return `${group}, purchases, customers, round(revenue, 4) AS r, round(average, 6) AS a, round(median, 6) AS m`;
}

let server: S3Server;
let checkout: Checkout;
let env: Record<string, string>;
let inFolder: Ended;
let onS3: Ended;

beforeAll(async () => {
  server = await startS3('MinIO');
  checkout = new Checkout();
  env = environment(server.settings);
  inFolder = await checkout.lakelet([...RUN, '--format', 'json'], env);
  onS3 = await lakelet([...RUN, '--format', 'json']);
}, START_TIMEOUT);

afterAll(async () => {
  checkout?.remove();
  await server?.stop();
});

function lakelet(argv: readonly string[], more: Record<string, string> = {}): Promise<Ended> {
  return checkout.lakelet(argv, { ...env, LAKE_URI: LAKE, ...more });
}

/** The objects of a result that has one a line. */
function objects({ code, out, err }: Ended): Record<string, unknown>[] {
  if (code !== 0) throw new Error(err);
  return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

function query(sql: string, ...more: string[]): Promise<Ended> {
  return lakelet(['query', sql, '--format', 'json', ...more]);
}

describe('a lake on S3', () => {
  it('has the same rows as a lake in a folder, from the same seed', async () => {
    const sql = Object.entries(SAME)
      .map(
        ([table, columns]) =>
          `SELECT '${table}' AS "table", count(*) AS n, bit_xor(hash(rows)) AS rows FROM (SELECT ${columns} FROM ${table}) AS rows`,
      )
      .join(' UNION ALL ');
    const [expected, found] = [
      objects(await query(sql, '--lake', checkout.lake)),
      objects(await query(sql, '--lake', LAKE)),
    ];
    expect(found).toEqual(expected);
    expect(found.map(({ n }) => Number(n) > 0)).toEqual(Object.keys(SAME).map(() => true));
  });

  it('gives the same model, whose record lies beside the tables', async () => {
    const model = (run: Ended): unknown => {
      const [output] = objects(run);
      const { seconds: _, ...rest } = Object(Object(output?.gold).model);
      return rest;
    };
    expect(model(onS3)).toEqual(model(inFolder));
    expect(objects(onS3)[0]).toMatchObject({
      gold: { mlflow: { version: '1', champion: true, uri: `${LAKE}/.lakelet/mlflow/runs/same.json` } },
    });
    expect(readdirSync(join(checkout.folder, '.lakelet', 'mlflow', 'registry', 'purchase-amount'))).toHaveLength(1);
  });

  it('is not changed by a run that comes again', async () => {
    const again = await lakelet([...RUN, '--format', 'json']);
    expect(objects(again)).toEqual(objects(onS3));
    const versions = 'SELECT count(*) AS entries, count(DISTINCT run_id) AS runs FROM ops.runs';
    expect(objects(await query(versions))).toEqual([{ entries: 7, runs: 1 }]);
  });

  it('takes a second run on top of the first', async () => {
    const more = ['run', '--rows', '500', '--seed', '8', '--trees', '5', '--run-id', 'more', '--format', 'json'];
    expect((await lakelet(more)).code).toBe(0);
    const counted = 'SELECT count(*) AS n, count(DISTINCT run_id) AS runs FROM bronze.purchases';
    expect(objects(await query(counted))).toEqual([{ n: 100_500, runs: 2 }]);
  });
});

describe('trainings that were recorded on S3', () => {
  it('go to an MLflow server once each, also where two push them at once', async () => {
    const mlflow = await startServerDouble();
    try {
      const push = (): Promise<Ended> =>
        lakelet(['mlflow', 'push', '--format', 'json'], { MLFLOW_TRACKING_URI: mlflow.uri });
      const ends = await Promise.all([push(), push()]);
      // The later one finds the other at work, or done.
      const refused = ends.filter(({ code }) => code !== 0).map(({ err }) => err);
      for (const err of refused) expect(err).toMatch(/^error MLFLOW_PUSH_BUSY: [^\n]+\n$/);
      expect(refused.length).toBeLessThan(2);
      // The runs below them, to compare with, have no id of Lakelet's.
      const ids = mlflow.runs.flatMap(({ tags }) => tags.get('lakelet.run_id') ?? []);
      expect(ids).toEqual(['same', 'more']);
      expect(objects(await push())).toEqual([{ pushed: [], already: 2, failed: [] }]);
    } finally {
      await mlflow.close();
    }
  });
});

describe('the command line on s3://', () => {
  const table = `s3://${BUCKET}/tables/a b=é/things`;

  it('creates, writes, shows and reads a table', async () => {
    const csv = join(checkout.folder, 'things.csv');
    await writeFile(csv, 'id,name\n1,one\n2,two\n');
    const done = async (...argv: string[]): Promise<Record<string, unknown>[]> =>
      objects(await lakelet(['table', ...argv]));
    expect(await done('create', table, '--source', csv, '--partition-by', 'name')).toMatchObject([{ version: 1 }]);
    expect(await done('append', table, '--source', "SELECT 3 AS id, 'x/ä %' AS name")).toMatchObject([{ version: 2 }]);
    const counted = 'SELECT count(*) AS id, NULL::VARCHAR AS name FROM silver.purchases_quarantine';
    expect(await done('overwrite', table, '--source', counted)).toMatchObject([{ version: 3 }]);
    expect(await done('checkpoint', table)).toEqual([{ version: 3 }]);
    expect(await done('show', table, '--format', 'json')).toMatchObject([{ location: table, version: 3, numFiles: 1 }]);
    expect(await done('files', table, '--version', '2', '--format', 'json')).toHaveLength(3);
    expect((await done('history', table, '--format', 'json')).map(({ version }) => version)).toEqual([3, 2, 1, 0]);
    const named = await query('FROM t ORDER BY id', '--table', `t=${table}@2`);
    expect(objects(named).map(({ name }) => name)).toEqual(['one', 'two', 'x/ä %']);
  });

  it('writes a result to the bucket', async () => {
    const sql = 'SELECT product_category AS category FROM gold.purchases_by_category ORDER BY ALL LIMIT 2';
    expect((await lakelet(['query', sql, '--format', 'csv', '--output', `s3://${BUCKET}/out/r.csv`])).code).toBe(0);
    const store = new S3Store({ bucket: BUCKET, prefix: 'out/' }, () => Promise.resolve(server.connection));
    expect(new TextDecoder().decode(await store.get('r.csv')).split(/\r?\n/)).toEqual([
      'category',
      'Books',
      'Clothing',
      '',
    ]);
  });

  it.each([
    ['a bucket that is not there', 's3://no-such-bucket/lake', {}, 'BUCKET_NOT_FOUND'],
    ['a secret that is wrong', LAKE, { AWS_SECRET_ACCESS_KEY: 'wrong' }, 'ACCESS_DENIED'],
    ['a server that is not there', LAKE, { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }, 'STORE_UNREACHABLE'],
    ['a table that is not there', `s3://${BUCKET}/empty`, {}, 'TABLE_NOT_FOUND'],
  ])('tells of %s in one line', async (_, lake, more, code) => {
    const answer = await lakelet(['query', 'FROM silver.purchases'], { LAKE_URI: lake, ...more });
    expect(answer).toMatchObject({ code: 1, out: '' });
    expect(answer.err).toMatch(new RegExp(`^error ${code}: [^\\n]+\\n$`));
  });
});
