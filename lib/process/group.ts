import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../errors.ts';

/** A process and all that it starts, which end together. */
export interface ProcessGroup {
  readonly pid: number;
  /** Settled when the first process has ended, by whatever cause. */
  readonly ended: Promise<void>;
  /** Asks the group to end, ends it by force where it has not within ten seconds, and returns when it is gone. */
  stop(): Promise<void>;
}

/** How a group's first process is started; as Node.js' `spawn` takes it. */
export interface GroupOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input, output and error, of which a number is an open file; all of them `ignore` where absent. */
  readonly stdio?: 'ignore' | readonly ('ignore' | number)[];
}

const GRACE_MS = 10_000;
/** Ends by itself when its parent does, however that came about: what it reads from is a pipe that the parent holds. */
const WATCHER = `trap '' INT TERM HUP
read -r group || exit 0
read -r over && exit 0
kill -s TERM -- "-$group" 2>/dev/null || exit 0
for second in 1 2 3 4 5 6 7 8 9 10; do
  sleep 1
  kill -s 0 -- "-$group" 2>/dev/null || exit 0
done
kill -s KILL -- "-$group"
`;

/**
 * Starts a command as the first of a process group of its own. The group ends with `stop`, and with this process, also
 * where that is killed (on Windows not then).
 *
 * @throws the system's error where the command can not be started
 */
export async function startGroup(
  command: string,
  args: readonly string[],
  options: GroupOptions,
): Promise<ProcessGroup> {
  const watcher = startWatcher();
  const child = spawn(command, args, {
    ...options,
    stdio: typeof options.stdio === 'object' ? [...options.stdio] : 'ignore',
    detached: process.platform !== 'win32',
  });
  if (child.pid !== undefined) watcher?.stdin?.write(`${child.pid}\n`);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const onExit = () => signalGroup(child, 'SIGKILL');
  let released = false;
  const release = () => {
    released = true;
    process.off('exit', onExit);
    watcher?.stdin?.end('over\n');
  };
  process.once('exit', onExit);
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (error) {
    release();
    throw error;
  }
  // The number of a group that is gone may become another's: nothing is sent to it any more.
  ended.then(() => {
    if (!signalGroup(child, 0)) release();
  });
  return {
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (released) return;
      await endGroup(child, ended);
      release();
    },
  };
}

/** Nobody waits for it, and its own errors (no `sh` on this machine) only mean that a killed parent leaves its servers. */
function startWatcher(): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const watcher = spawn('/bin/sh', ['-c', WATCHER], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.on('error', () => undefined);
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  if (watcher.stdin instanceof Socket) watcher.stdin.unref();
  return watcher;
}

async function endGroup(child: ChildProcess, ended: Promise<void>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await Promise.race([ended, sleep(GRACE_MS, undefined, { ref: false })]);
  // What is left of the group goes too, also where its first process ended in time.
  signalGroup(child, 'SIGKILL');
  await ended;
  // The rest is reaped by the system's first process, which may be slow to do it.
  for (let tries = 0; tries < 40 && signalGroup(child, 0); tries++) await sleep(50);
}

/** False where no process of the group is left. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.platform === 'win32' ? child.kill(signal) : process.kill(-child.pid, signal);
  } catch (error) {
    // EPERM: macOS answers so for a group of which only the dead are left.
    if (systemCode(error) === 'ESRCH' || systemCode(error) === 'EPERM') return false;
    throw error;
  }
}
