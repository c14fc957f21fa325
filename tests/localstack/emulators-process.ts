import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** `npm run emulators`, as a user starts it. */
export interface EmulatorsProcess {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly output: { out: string; err: string };
  /** Settled with its exit code. */
  readonly ended: Promise<number | null>;
  /** The exported settings, once it has said `ready`; it throws where it ends before. */
  settings(): Promise<Record<string, string>>;
}

/** Starts it with any ports that are free, so that several can run side by side. */
export function spawnEmulators(args: readonly string[], env: Record<string, string> = {}): EmulatorsProcess {
  const child = spawn('npm', ['run', '--silent', 'emulators', '--', ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', () => {
      if (output.out.endsWith('\nready\n')) resolve();
    });
  });
  return {
    child,
    output,
    ended,
    async settings() {
      const over = await Promise.race([ready, ended.then(() => 'over' as const)]);
      if (over !== undefined) throw new Error(`the emulators ended before they were ready: ${output.err}`);
      return Object.fromEntries(
        [...output.out.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
      );
    },
  };
}
