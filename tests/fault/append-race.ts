import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeltaTable, type ObjectStore } from '../../lib/duckdb/delta.ts';

/** The schema of the table that is raced for. */
const SCHEMA = {
  type: 'struct',
  fields: ['writer', 'n'].map((name) => ({ name, type: 'integer', nullable: false, metadata: {} })),
} as const;

/** Where {@link appendRace} happens, when it is not in a folder. */
export interface AppendRaceOptions {
  /** The table's place as this process reaches it; its URI where absent. */
  readonly store?: ObjectStore;
  /** The writers' environment; this process's own where absent. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called once the table is there and the writers are ready; they begin when it is done. */
  readonly beforeStart?: () => Promise<void>;
}

/**
 * Makes a table and lets processes append to it at once, one row a commit.
 *
 * @param uri the table's place as the processes reach it
 * @returns the versions that each process says it made
 */
export async function appendRace(
  uri: string,
  writers: number,
  commits: number,
  options: AppendRaceOptions = {},
): Promise<number[][]> {
  await DeltaTable.create(options.store ?? uri, { schema: SCHEMA });
  const script = join(import.meta.dirname, 'append-writer.ts');
  const racers = Array.from({ length: writers }, (_, writer) => {
    const child = spawn(process.execPath, [script, uri, String(writer), String(commits)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...(options.env ?? process.env), NODE_OPTIONS: '' },
    });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  try {
    for (const { lines } of racers) await lines.next();
    await options.beforeStart?.();
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
