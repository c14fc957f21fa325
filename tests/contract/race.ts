import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const WRITER = fileURLToPath(new URL('./race-writer.ts', import.meta.url));

/** How {@link race} is run. */
export interface RaceOptions {
  /** False where a folder is to be used as one without hard links. */
  readonly hardLinks?: boolean;
  /** Environment variables for the racers, beside this process's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Lets eight processes write the same keys at once, each if it is absent.
 *
 * @param place a folder, or a store's URI
 * @returns the rounds that were won, of all racers together: each round once where all is right
 */
export async function race(place: string, rounds: number, options: RaceOptions = {}): Promise<number[]> {
  const racers = Array.from({ length: 8 }, () =>
    spawn(process.execPath, [WRITER, place, String(rounds), String(options.hardLinks ?? true)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...options.env, NODE_OPTIONS: '' },
    }),
  );
  try {
    await Promise.all(racers.map((racer) => once(racer.stdout, 'readable')));
    for (const racer of racers) racer.stdin.end();
    const outputs = await Promise.all(racers.map((racer) => text(racer.stdout)));
    return outputs.flatMap((output): number[] => {
      const won: unknown = JSON.parse(output.slice('ready\n'.length));
      return Array.isArray(won) ? won.map(Number) : [];
    });
  } finally {
    for (const racer of racers) racer.kill();
  }
}
