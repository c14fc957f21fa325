/**
 * Real servers for whole runs, which tests stop, kill and start again in the middle of these.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Connection } from '../../lib/storage/s3-client.ts';
import { S3Store } from '../../lib/storage/s3-store.ts';
import { makeBuckets } from '../../localstack/buckets.ts';
import { deploy } from '../../localstack/deploy.ts';
import { startLocalStack } from '../../localstack/localstack.ts';
import { startMinio } from '../../localstack/minio.ts';
import { startMlflow } from '../../localstack/mlflow.ts';
import type { RunningServer } from '../../localstack/server.ts';
import type { Ended } from '../checkout.ts';
import { BUCKET, connectWith, environment } from '../emulator/s3-servers.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';
import { type Fate, type ProxiedRequest, type S3Proxy, startProxy } from './s3-proxy.ts';

/** How long a command may take, on a machine that has much other work; milliseconds. */
export const LIMIT = 280_000;

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'lakelet.ts');

/** A command that runs. */
export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Which servers there are beside MinIO and the proxy before it. */
export interface ServersOptions {
  readonly mlflow?: boolean;
  /** LocalStack, with the functions deployed there. */
  readonly lambdas?: boolean;
}

/** The servers. Clients reach MinIO through the proxy, whose requests tell how far a run is. */
export class Servers {
  readonly home: string;
  readonly proxy: S3Proxy;
  /** By which commands reach all of them. */
  readonly settings: Record<string, string>;
  private readonly connection: S3Connection;
  private minio: RunningServer;
  private mlflow: RunningServer | undefined;
  private localstack: RunningServer | undefined;
  private readonly children = new Set<ChildProcess>();

  private constructor(home: string, minio: RunningServer, proxy: S3Proxy, connection: S3Connection) {
    this.home = home;
    this.minio = minio;
    this.proxy = proxy;
    this.connection = connection;
    this.settings = { ...minio.settings, AWS_ENDPOINT_URL_S3: proxy.url, LAKE_URI: `s3://${BUCKET}/lake` };
  }

  static async start({ mlflow = false, lambdas = false }: ServersOptions = {}): Promise<Servers> {
    const home = await mkdtemp(join(tmpdir(), 'lakelet-servers-'));
    const minio = await startMinio({ home: join(home, 'minio'), buckets: [BUCKET] });
    const proxy = await startProxy(minio.settings.AWS_ENDPOINT_URL_S3 ?? '');
    const servers = new Servers(home, minio, proxy, await connectWith(minio.settings));
    try {
      await Promise.all([mlflow && servers.startMlflow(), lambdas && servers.startLocalStack()]);
      if (lambdas) await deploy({ settings: servers.settings, say: () => undefined });
    } catch (error) {
      await servers.stop();
      throw error;
    }
    return servers;
  }

  async stop(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    this.connection.client.destroy();
    await Promise.all([this.localstack?.stop(), this.mlflow?.stop(), this.minio.stop()]);
    await this.proxy.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  /** The bucket as a store, straight to MinIO. */
  bucket(prefix: string): S3Store {
    return new S3Store({ bucket: BUCKET, prefix }, () => Promise.resolve(this.connection));
  }

  /** The lake, read straight from MinIO. */
  get lake(): Lakehouse {
    return new Lakehouse(this.bucket('lake/'));
  }

  stopMinio(): Promise<void> {
    return this.minio.stop();
  }

  /** Starts it again where it was, over the same data. */
  async startMinio(): Promise<void> {
    const port = Number(new URL(this.minio.settings.AWS_ENDPOINT_URL_S3 ?? '').port);
    const { settings } = this.minio;
    this.minio = await startMinio({ home: join(this.home, 'minio'), port });
    expect(this.minio.settings).toEqual(settings);
  }

  /** MinIO is killed, and away for some milliseconds. */
  async pauseMinio(milliseconds: number): Promise<void> {
    process.kill(this.minio.pid, 'SIGKILL');
    await this.stopMinio();
    await sleep(milliseconds);
    await this.startMinio();
  }

  async stopMlflow(): Promise<void> {
    await this.mlflow?.stop();
  }

  /** Starts it, the next times where it was before, over the same data. */
  async startMlflow(): Promise<void> {
    const before = this.mlflow?.settings.MLFLOW_TRACKING_URI;
    this.mlflow = await startMlflow({
      home: join(this.home, 'mlflow'),
      artifacts: `s3://${BUCKET}/mlflow`,
      settings: this.settings,
      ...(before !== undefined && { port: Number(new URL(before).port) }),
    });
    if (before !== undefined) expect(this.mlflow.settings.MLFLOW_TRACKING_URI).toBe(before);
    Object.assign(this.settings, this.mlflow.settings);
  }

  private async startLocalStack(): Promise<void> {
    this.localstack = await startLocalStack({ home: join(this.home, 'localstack') });
    // Its packages lie in its own S3, its functions use MinIO.
    const { AWS_ENDPOINT_URL = '' } = this.localstack.settings;
    Object.assign(this.settings, { AWS_ENDPOINT_URL });
    await makeBuckets(this.localstack.settings, [BUCKET]);
  }

  /** Kills all processes of Lambdas; one may be idle, the one that works is among them. */
  killLambdas(): void {
    const lines = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
    for (const line of lines) {
      const [, pid, parent, args = ''] = /^ *(\d+) +(\d+) +(.*)$/.exec(line) ?? [];
      if (Number(parent) === this.localstack?.pid && args.includes('bootstrap.mjs')) kill(Number(pid));
    }
  }

  /** Does something at the first request from now on that is chosen, which has the fate that is returned; all else passes. */
  onceAt(chosen: (request: ProxiedRequest) => boolean, act: () => Fate): void {
    let done = false;
    this.proxy.decide = (request) => {
      if (done || !chosen(request)) return 'pass';
      done = true;
      return act();
    };
  }

  /** Starts `lakelet …` against the servers. */
  command(argv: readonly string[], more: Readonly<Record<string, string>> = {}): Command {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: this.home,
      env: { ...environment(this.settings), NODE_OPTIONS: '', ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT,
    });
    this.children.add(child);
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, out, err }));
    });
    return { child, ended };
  }

  /** Runs `lakelet …`, which must succeed; its output, one JSON object. */
  async lakelet(...argv: readonly string[]): Promise<Record<string, unknown>> {
    return outputOf(this.command([...argv, '--format', 'json']));
  }

  /** What MLflow has of a run id: the states of its runs, and the number of its model versions. */
  async logged(runId: string): Promise<{ runs: string[]; versions: number }> {
    const { experiments } = await this.ask<{ experiments: { experiment_id: string }[] }>('experiments/search', {
      max_results: 100,
    });
    const { runs = [] } = await this.ask<{ runs?: { info: { status: string } }[] }>('runs/search', {
      experiment_ids: experiments.map((one) => one.experiment_id),
      filter: `tags.\`lakelet.run_id\` = '${runId}'`,
    });
    const { model_versions: all = [] } = await this.ask<{ model_versions?: { tags?: unknown[] }[] }>(
      `model-versions/search?${new URLSearchParams({ filter: "name = 'purchase-amount'", max_results: '1000' })}`,
    );
    const own = all.filter(({ tags = [] }) => JSON.stringify(tags).includes(JSON.stringify(runId)));
    return { runs: runs.map(({ info }) => info.status).sort(), versions: own.length };
  }

  private async ask<T>(path: string, body?: object): Promise<T> {
    const response = await fetch(`${this.settings.MLFLOW_TRACKING_URI}/api/2.0/mlflow/${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** The output of a command that must succeed. */
export async function outputOf({ ended }: Pick<Command, 'ended'>): Promise<Record<string, unknown>> {
  const { code, out, err } = await ended;
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

/** Whether a request writes an object whose key has this in it. */
export function writes(text: string): (request: ProxiedRequest) => boolean {
  return ({ method, url }) => (method === 'PUT' || method === 'POST') && decodeURIComponent(url).includes(text);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
