import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { interpreterOf } from '../../lib/mlflow/index.ts';
import { environment, type S3Server, START_TIMEOUT, startS3 } from '../emulator/s3-servers.ts';
import { appendRace } from '../fault/append-race.ts';

const WRITERS = 4;
const COMMITS = 25;
const PYTHON_WRITER = 100;
const PYTHON_COMMITS = 10;

const python = interpreterOf(join(import.meta.dirname, '..', '..', '.venv'));

describe('one table in S3, written by Lakelet and delta-rs at once', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3('MinIO');
  }, START_TIMEOUT);
  afterAll(() => server?.stop());

  it('has each commit as one version and each row once, and each reads what the other wrote', async () => {
    const store = server.store();
    const env = environment(server.settings);
    const rival = new Rival(store.uri, env);
    let made: number[][];
    let foreign: number[];
    try {
      made = await appendRace(store.uri, WRITERS, COMMITS, { store, env, beforeStart: () => rival.start() });
      foreign = await rival.versions();
    } finally {
      rival.stop();
    }
    // Otherwise it would not have written in between.
    expect(Math.min(...foreign)).toBeLessThan(Math.max(...made.flat()));
    const versions = [...made.flat(), ...foreign];
    const all = Array.from({ length: WRITERS * COMMITS + PYTHON_COMMITS }, (_, i) => i + 1);
    expect(versions.sort((a, b) => a - b)).toEqual(all);

    const table = await DeltaTable.open(store);
    expect(table.version).toBe(all.length);
    const rows: string[] = [];
    for await (const batch of table.scan()) rows.push(...batch.map(({ writer, n }) => `${writer}/${n}`));
    const of = (writer: number, commits: number) => Array.from({ length: commits }, (_, n) => `${writer}/${n}`);
    const expected = made.flatMap((_, writer) => of(writer, COMMITS));
    expect(rows.sort()).toEqual([...expected, ...of(PYTHON_WRITER, PYTHON_COMMITS)].sort());
  }, 300_000);
});

/** delta-rs, reading and appending in a process of its own. */
class Rival {
  private readonly uri: string;
  private readonly env: Readonly<Record<string, string>>;
  private readonly lines: string[] = [];
  private child: ChildProcess | undefined;
  private closed: Promise<unknown[]> | undefined;

  constructor(uri: string, env: Readonly<Record<string, string>>) {
    this.uri = uri;
    this.env = env;
  }

  /** Lets it begin; done when it has opened the table. */
  async start(): Promise<void> {
    const script = join(import.meta.dirname, 's3-concurrent', 'append.py');
    const child = spawn(python, [script, this.uri, String(PYTHON_WRITER), String(PYTHON_COMMITS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...this.env },
    });
    this.child = child;
    this.closed = once(child, 'close');
    const output = createInterface({ input: child.stdout });
    output.on('line', (line) => this.lines.push(line));
    await Promise.race([once(output, 'line'), this.closed]);
    child.stdin.end();
  }

  /** The versions that it made, once it has ended. */
  async versions(): Promise<number[]> {
    const [code] = (await this.closed) ?? [];
    if (code !== 0) throw new Error(`delta-rs ended with ${code}`);
    return JSON.parse(this.lines.at(-1) ?? '');
  }

  stop(): void {
    this.child?.kill();
  }
}
