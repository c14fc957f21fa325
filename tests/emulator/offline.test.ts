// The real serverless-offline, as `npm run offline` starts it: every operation over HTTP, and runs over both of its APIs.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { LOST_AFTER } from '../../lib/api/execute.ts';
import { lastAttempt, note } from '../../lib/api/execution-record.ts';
import { portToUse, releasePort } from '../../lib/process/port.ts';
import { openStore } from '../../lib/storage/index.ts';
import { Checkout, type Ended } from '../checkout.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';

/** For what starts a server, or waits for a run, on a machine that has other work. */
jest.setTimeout(240_000);

const RUN = { rows: 3000, seed: 11, trees: 3, maxDepth: 4 };
const OPTIONS = ['--rows', '3000', '--seed', '11', '--trees', '3', '--max-depth', '4', '--format', 'json'];

interface Served {
  readonly child: ChildProcess;
  readonly http: string;
  readonly lambda: string;
  readonly ended: Promise<number | null>;
}

const checkouts: Checkout[] = [];
const servers: Served[] = [];

afterAll(async () => {
  for (const server of servers) {
    kill(server, 'SIGKILL');
    await server.ended;
  }
  for (const checkout of checkouts) checkout.remove();
  rmSync(home, { recursive: true, force: true });
});

function newCheckout(): Checkout {
  const checkout = new Checkout();
  checkouts.push(checkout);
  return checkout;
}

function kill({ child }: Served, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
}

/** A home without AWS's settings. */
const home = mkdtempSync(join(tmpdir(), 'lakelet-home-'));

/** The environment of a user who has no account with AWS. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|npm_|NODE_|JEST_|LOG_LEVEL$)/.test(name));
  return { ...Object.fromEntries(kept), HOME: home };
}

/** `npm run offline`, on free ports. */
async function serve(checkout: Checkout, ...options: string[]): Promise<Served> {
  const ports = await Promise.all([portToUse(), portToUse()]);
  const [port, lambdaPort] = ports.map(String);
  for (const each of ports) releasePort(each);
  const child = spawn(
    process.execPath,
    ['scripts/offline.mjs', '--port', String(port), '--lambda-port', String(lambdaPort), ...options],
    { cwd: checkout.folder, env: environment(), stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === 'ready') break;
  }
  const said = lines.join('\n');
  const [, http = ''] = /^HTTP API (http:\S+)$/m.exec(said) ?? [];
  const [, lambda = ''] = /^export AWS_ENDPOINT_URL_LAMBDA=(http:\S+)$/m.exec(said) ?? [];
  const served = { child, http, lambda, ended };
  servers.push(served);
  expect(lines.at(-1)).toBe('ready');
  return served;
}

/** What any of the answers may hold. */
interface Told {
  readonly status: string;
  readonly version: number;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly error: { readonly code: string };
}

async function told(response: Response): Promise<Told> {
  return (await response.json()) as Told;
}

async function get(server: Served, path: string) {
  const response = await fetch(`${server.http}${path}`);
  return { status: response.status, headers: response.headers, body: await told(response) };
}

async function post(server: Served, path: string, body: object) {
  const response = await fetch(`${server.http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await told(response) };
}

/** The execution once it is over. */
async function followed(server: Served, id: string) {
  for (;;) {
    const { body } = await get(server, `/executions/${id}`);
    if (body.status !== 'RUNNING') return body;
    await sleep(250);
  }
}

/** The rows of silver and gold, without what says when and by which run they came. */
function contents(lake: string): Promise<unknown[]> {
  return new Lakehouse(openStore(lake)).query(`
    SELECT 'silver' AS path, count(*) AS n, sum(hash(t)::HUGEINT)::VARCHAR AS rows
      FROM (SELECT * EXCLUDE (run_id, ingested_at) FROM silver.purchases) AS t
    UNION ALL SELECT 'quarantine', count(*), sum(hash(t)::HUGEINT)::VARCHAR
      FROM (SELECT * EXCLUDE (run_id, ingested_at) FROM silver.purchases_quarantine) AS t
    UNION ALL SELECT 'category', count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM gold.purchases_by_category AS t
    UNION ALL SELECT 'demographics', count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM gold.purchases_by_demographics AS t
    UNION ALL SELECT 'period', count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM gold.purchases_by_period AS t
    ORDER BY path`);
}

/** Processes that a server has, by what their command lines hold: its checkout. */
function processesOf(checkout: Checkout): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(checkout.folder));
}

let checkout: Checkout;
let server: Served;
let embedded: unknown[];

beforeAll(async () => {
  checkout = newCheckout();
  const other = newCheckout();
  expect(await other.lakelet(['run', ...OPTIONS])).toMatchObject({ code: 0 });
  embedded = await contents(other.lake);
  server = await serve(checkout);
});

describe('npm run offline', () => {
  test('serves an empty lake, without an account of AWS', async () => {
    expect(await get(server, '/health')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await get(server, '/tables')).toMatchObject({ status: 200, body: { tables: [] } });
    const { status, body } = await post(server, '/query', { sql: 'FROM silver.purchases' });
    expect([status, body.error.code]).toEqual([404, 'TABLE_NOT_FOUND']);
  });

  test('executes a run, whose rows are those of a run in process', async () => {
    const started = await post(server, '/executions', { runId: 'over-http', ...RUN });
    expect(started).toMatchObject({ status: 202, body: { id: 'over-http', status: 'RUNNING', attempt: 1 } });
    expect(await followed(server, 'over-http')).toMatchObject({
      status: 'SUCCEEDED',
      output: { runId: 'over-http', gold: { model: { trees: 3 } } },
    });
    expect(await contents(checkout.lake)).toEqual(embedded);
    const again = await post(server, '/executions', { runId: 'over-http', ...RUN });
    expect(again).toMatchObject({ status: 202, body: { status: 'SUCCEEDED', attempt: 1 } });
    expect(await post(server, '/executions', { runId: 'over-http', rows: 1 })).toMatchObject({ status: 409 });
  });

  test('reads tables page by page', async () => {
    const { status, headers, body } = await get(server, '/tables/silver/purchases?limit=10');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(body).toMatchObject({
      version: 1,
      rows: { length: 10 },
      nextOffset: 10,
      history: [{ version: 1 }, { version: 0 }],
    });
    const { body: next } = await get(server, `/tables/silver/purchases?limit=10&offset=10&version=${body.version}`);
    expect(next.rows[0]).not.toEqual(body.rows[0]);
    expect(await get(server, '/tables/silver/..%2f..%2fx')).toMatchObject({ status: 400 });
    expect(await get(server, '/nothing/here')).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
  });

  test('asks the lake in SQL, and stops what takes too long or too much', async () => {
    const sql = 'SELECT sum(purchases) > 0 AS some FROM gold.purchases_by_category';
    expect(await post(server, '/query', { sql })).toMatchObject({ status: 200, body: { rows: [{ some: true }] } });
    expect(await post(server, '/query', { sql: "FROM read_text('/etc/passwd')" })).toMatchObject({ status: 403 });
    const bomb = "SELECT string_agg(range::VARCHAR || repeat('x', 1000), '') FROM range(10000000)";
    expect(await post(server, '/query', { sql: bomb })).toMatchObject({
      status: 422,
      body: { error: { code: 'QUERY_TOO_LARGE' } },
    });
    const endless = 'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t';
    expect(await post(server, '/query', { sql: endless })).toMatchObject({
      status: 408,
      body: { error: { code: 'QUERY_TIMEOUT' } },
    });
    expect(await post(server, '/query', { sql: 'SELECT 1 AS x' })).toMatchObject({
      status: 200,
      body: { rows: [{ x: 1 }] },
    });
  });

  test('scores records with the model that the run trained', async () => {
    const record = {
      age: 30,
      income: 5e4,
      education: 'PhD',
      product_category: 'Books',
      quarter: 1,
      month: 2,
      day_of_week: 3,
    };
    const answer = await post(server, '/predictions', { records: [{ ...record, hour: 12, is_weekend: false }] });
    expect(answer).toMatchObject({ status: 200, body: { model: { version: '1' }, predictions: [expect.any(Number)] } });
    expect(await post(server, '/predictions', { records: [record] })).toMatchObject({ status: 400 });
    const predict = (event: object) =>
      fetch(`${server.lambda}/2015-03-31/functions/lakelet-offline-predict/invocations`, {
        method: 'POST',
        body: JSON.stringify(event),
      });
    const one = await predict({ record: { ...record, hour: 12, is_weekend: false } });
    const { predictions, lower, upper } = answer.body as unknown as Record<'predictions' | 'lower' | 'upper', number[]>;
    expect(await one.json()).toEqual({
      model: { name: 'purchase-amount', version: '1' },
      predictions: [{ predicted: predictions[0], lower: lower[0], upper: upper[0] }],
    });
    expect(await (await predict({ record })).json()).toMatchObject({
      errorMessage: expect.stringContaining('hour is missing'),
    });
  });

  test('serves the document that the repository holds', async () => {
    const { body } = await get(server, '/openapi.json');
    expect(body).toEqual(JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8')));
  });

  test('answers no page of another site', async () => {
    const response = await fetch(`${server.http}/tables`, { headers: { origin: 'https://example.org' } });
    expect(response.status).toBe(403);
  });

  test('takes the Lambda calls of the state machine, whose rows are those of a run in process', async () => {
    const lake = newCheckout();
    const other = await serve(lake);
    const ended: Ended = await lake.lakelet(['run', '--runner', 'lambda', '--run-id', 'by-lambda', ...OPTIONS], {
      AWS_ENDPOINT_URL_LAMBDA: other.lambda,
      AWS_ACCESS_KEY_ID: 'any',
      AWS_SECRET_ACCESS_KEY: 'any',
    });
    expect(ended).toMatchObject({ code: 0 });
    expect(await contents(lake.lake)).toEqual(embedded);
    // A run that fails says why, and is tried again when it is asked for again.
    const reused = { runId: 'by-lambda', rows: 1 };
    await post(other, '/executions', reused);
    expect(await followed(other, 'by-lambda')).toMatchObject({ status: 'FAILED', error: { code: 'RUN_ID_REUSED' } });
    expect(await post(other, '/executions', reused)).toMatchObject({ body: { status: 'RUNNING', attempt: 2 } });
    await followed(other, 'by-lambda');
    kill(other, 'SIGTERM');
    expect(await other.ended).toBe(0);
    expect(processesOf(lake)).toEqual([]);
  });

  test('tells of a run whose process was killed, and finishes it when it is started again', async () => {
    const input = { runId: 'killed', rows: 300_000, seed: 5, trees: 50 };
    await post(server, '/executions', input);
    await sleep(1500);
    kill(server, 'SIGKILL');
    await server.ended;
    // What is left of its group has no parent any more, and ends by itself.
    for (let tries = 0; tries < 60 && processesOf(checkout).length > 0; tries++) await sleep(500);
    expect(processesOf(checkout)).toEqual([]);
    // The state lies in the lake, where another server finds it; a while without a word is over.
    const lake = openStore(checkout.lake);
    const record = await lastAttempt(lake, 'killed');
    expect(record).toMatchObject({ attempt: 1, status: 'RUNNING' });
    const long = new Date(Date.now() - 2 * LOST_AFTER).toISOString();
    if (record !== undefined) await note(lake, { ...record, updatedAt: long });
    server = await serve(checkout);
    expect(await get(server, '/executions/killed')).toMatchObject({ body: { error: { code: 'EXECUTION_LOST' } } });
    expect(await post(server, '/executions', input)).toMatchObject({ body: { attempt: 2 } });
    expect(await followed(server, 'killed')).toMatchObject({ status: 'SUCCEEDED' });
    const sql = "SELECT count(*) AS n FROM bronze.purchases WHERE run_id = 'killed'";
    expect(await post(server, '/query', { sql })).toMatchObject({ body: { rows: [{ n: 300_000 }] } });
  });

  test('ends at Ctrl-C with everything', async () => {
    kill(server, 'SIGINT');
    expect(await server.ended).toBe(0);
    expect(processesOf(checkout)).toEqual([]);
  });

  test.each([['--port', 'x'], ['--nope']])('says in one line what is wrong with %s', async (...options) => {
    const child = spawn(process.execPath, ['scripts/offline.mjs', ...options], {
      cwd: checkout.folder,
      env: environment(),
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(2);
    expect(err).toMatch(/^error USAGE: .*\n$/);
  });
});
