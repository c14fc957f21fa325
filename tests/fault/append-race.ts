import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeltaTable } from '../../lib/duckdb/delta.ts';

/** The schema of the table that is raced for. */
const SCHEMA = {
  type: 'struct',
  fields: ['writer', 'n'].map((name) => ({ name, type: 'integer', nullable: false, metadata: {} })),
} as const;

/**
 * Makes a table and lets processes append to it at once, one row a commit.
 *
 * @returns the versions that each process says it made
 */
export async function appendRace(folder: string, writers: number, commits: number): Promise<number[][]> {
  await DeltaTable.create(folder, { schema: SCHEMA });
  const script = join(import.meta.dirname, 'append-writer.ts');
  const racers = Array.from({ length: writers }, (_, writer) => {
    const child = spawn(process.execPath, [script, folder, String(writer), String(commits)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  try {
    for (const { lines } of racers) await lines.next();
    for (const { child } of racers) child.stdin.end();
    return await Promise.all(racers.map(({ child, lines }) => versionsOf(child, lines)));
  } finally {
    for (const { child } of racers) child.kill();
  }
}

async function versionsOf(child: ChildProcess, lines: AsyncIterator<string>): Promise<number[]> {
  const exited = once(child, 'exit');
  const { value } = await lines.next();
  const [code] = await exited;
  if (code !== 0) throw new Error(`a writer ended with ${code}`);
  return JSON.parse(String(value));
}
