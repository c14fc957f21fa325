import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lambdas, MEET, START_TIMEOUT, startLambdas } from './lambdas.ts';
import { isAlive, untilGone } from './processes.ts';

const FUNCTION = `
  import { spawn } from 'node:child_process';
  import { tmpdir } from 'node:os';
  ${MEET}
  const child = spawn('sleep', ['60']).pid;
  export const handler = async ({ place, guests, spin }) => {
    await meet(place, guests);
    if (spin) for (;;);
    return { pid: process.pid, child, folder: tmpdir() };
  }`;

interface Seen {
  readonly pid: number;
  /** A process that it started. */
  readonly child: number;
  readonly folder: string;
}

describe('the processes of Lambdas', () => {
  let lambdas: Lambdas;
  beforeEach(async () => {
    lambdas = await startLambdas();
    await lambdas.create('life', { 'index.mjs': FUNCTION }, { Timeout: 60 });
  }, START_TIMEOUT);
  afterEach(() => lambdas?.stop());

  const seen = async (event: object) => (await lambdas.invoke('life', event)).payload as Seen;
  const together = () => {
    const meeting = { place: join(lambdas.home, 'together'), guests: 2 };
    return Promise.all([seen(meeting), seen(meeting)]);
  };

  it('end when LocalStack stops, with their folders', async () => {
    const both = await together();
    expect(both.every(({ pid, folder }) => isAlive(pid) && existsSync(folder))).toBe(true);
    await lambdas.server.stop();
    expect(both.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
    await untilGone(both.map(({ child }) => child));
    expect(isAlive(lambdas.server.pid)).toBe(false);
    expect(both.some(({ folder }) => existsSync(folder))).toBe(false);
  });

  it('end when LocalStack is killed, also those that never come to rest', async () => {
    const [idle, busy] = await together();
    const place = join(lambdas.home, 'spinning');
    const invoked = lambdas.invoke('life', { place, guests: 1, spin: true }).catch(() => 'broken off');
    while (!existsSync(place)) await sleep(20);
    process.kill(lambdas.server.pid, 'SIGKILL');
    expect(await invoked).toBe('broken off');
    await lambdas.server.ended;
    await untilGone([idle.pid, idle.child, busy.pid, busy.child]);
  });
});

describe('LocalStack and the processes of its Lambdas', () => {
  it('end when the process that started them is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakelet-killed-'));
    const starter = spawn(process.execPath, [join(import.meta.dirname, 'lambdas-alone.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    });
    try {
      const lines = createInterface({ input: starter.stdout })[Symbol.asyncIterator]();
      const pids = JSON.parse((await lines.next()).value) as number[];
      expect(pids.map(isAlive)).toEqual([true, true]);
      starter.kill('SIGKILL');
      await untilGone(pids);
    } finally {
      starter.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
