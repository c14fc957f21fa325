// A process that writes is killed in the middle of it, again and again. KILL_SEED and KILL_ROUNDS make other and longer runs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { DeltaTable } from '../../lib/duckdb/delta.ts';

const SEED = Number(process.env.KILL_SEED ?? 7);
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10);

const field = (name: string) => ({ name, type: 'integer', nullable: false, metadata: {} });

/** Numbers from 0 up to 1, the same for the same seed. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Lets a writer go on from row `from` and kills it after a while; tells the rows whose append returned. */
async function writeAndDie(folder: string, from: number, millis: number): Promise<number[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'killed-writer.ts'), folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const exited = once(child, 'exit');
  const done: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') setTimeout(millis).then(() => child.kill('SIGKILL'));
    else done.push(Number(line));
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return done;
}

test.each([[[]], [['part']]])(
  'a writer that is killed loses no commit and makes none twice (partitioned by %j)',
  async (partitionBy) => {
    const folder = mkdtempSync(join(tmpdir(), 'lakelet-kill-'));
    try {
      const schema = { type: 'struct', fields: [field('n'), field('part')] } as const;
      await DeltaTable.create(folder, { schema, partitionBy, properties: { 'delta.checkpointInterval': '3' } });
      const instants = random(SEED);
      let next = 0;
      for (let round = 0; round < ROUNDS / 2; round++) {
        const done = await writeAndDie(folder, next, instants.next().value * 400);
        expect(done).toEqual(done.map((_, at) => next + at));
        next += done.length;

        const table = await DeltaTable.open(folder);
        const rows: number[] = [];
        for await (const batch of table.scan()) rows.push(...batch.map(({ n }) => Number(n)));
        rows.sort((a, b) => a - b);
        // The commit during which the writer died is there or not; what it had told of is there.
        expect([next, next + 1]).toContain(rows.length);
        expect(rows).toEqual(rows.map((_, at) => at));
        const commits = readdirSync(join(folder, '_delta_log')).filter((name) => /^\d{20}\.json$/.test(name));
        expect(commits).toHaveLength(table.version + 1);
      }
      expect(next).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
