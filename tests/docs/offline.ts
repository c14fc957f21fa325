import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Checkout } from '../checkout.ts';

/** The command of a document that serves until Ctrl-C. */
export const OFFLINE = /^npm run offline\b/;

/** `npm run offline`, as long as a document's commands are run. */
export interface Offline {
  /** A command with the addresses that really serve in place of those that a document names. */
  here(command: string): string;
  /** Ctrl-C; returns its exit code. */
  stop(): Promise<number | null>;
}

/** Starts it in a checkout, and waits until it says that it is ready. */
export async function startOffline(checkout: Checkout, command: string, env: Record<string, string>): Promise<Offline> {
  const child = spawn('sh', ['-c', command], {
    cwd: checkout.folder,
    env: { ...process.env, PATH: [join(process.execPath, '..'), process.env.PATH].join(delimiter), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stop = async () => {
    // A terminal sends it to the whole group.
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    return ended;
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === 'ready') break;
  }
  // It may say more, which nobody reads: without a reader it would stop when the pipe is full.
  child.stdout.resume();
  const said = lines.join('\n');
  const [, http] = /^HTTP API +http:\/\/(\S+)/m.exec(said) ?? [];
  const [, lambda] = /AWS_ENDPOINT_URL_LAMBDA=http:\/\/(\S+)/.exec(said) ?? [];
  if (http === undefined || lambda === undefined) {
    await stop();
    throw new Error(`${command} was not ready, or did not say where it serves: ${said}`);
  }
  const here = (text: string) =>
    text.replaceAll(/(?:127\.0\.0\.1|localhost):3000/g, http).replaceAll(/(?:127\.0\.0\.1|localhost):3002/g, lambda);
  return { here, stop };
}
