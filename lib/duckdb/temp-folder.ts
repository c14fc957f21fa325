import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';

/** `lakelet-<machine>-<process id>-<when the process started>-<six characters by chance>` */
const NAME = /^lakelet-([0-9a-f]{8})-(\d+)-(\d+)-[A-Za-z0-9]{6}$/;

const made = new Set<string>();
const swept = new Set<string>();

/**
 * A new folder for passing files, which only this user can read. It is gone with {@link removeTempFolder}, or at the
 * process's end; what processes that were killed have left in `parent` is removed by the next one there.
 *
 * @throws LakeletError `SCRATCH_FAILED`
 */
export function makeTempFolder(parent: string): string {
  let folder: string;
  try {
    folder = mkdtempSync(join(parent, `lakelet-${machine()}-${process.pid}-${startOf(process.pid) ?? 0}-`));
  } catch (error) {
    throw scratchFailed(parent, error);
  }
  if (made.size === 0) process.once('exit', removeAll);
  made.add(folder);
  if (!swept.has(parent)) sweep(parent);
  return folder;
}

/** Removes a folder that {@link makeTempFolder} made, with all that is in it. */
export function removeTempFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  made.delete(folder);
  if (made.size === 0) process.off('exit', removeAll);
}

/** What is thrown where a passing file can't be written. */
export function scratchFailed(path: string, error: unknown): LakeletError {
  if (error instanceof LakeletError) return error;
  return new LakeletError(
    'SCRATCH_FAILED',
    `A temporary file can't be written at ${printable(path, 300)}: ${printable(messageOf(error), 200)}; free some space, or set TMPDIR to a folder that has it`,
    { cause: error },
  );
}

function removeAll(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
}

/** Tells apart the machines, and the containers, that may share a folder, and whose process ids say nothing here. */
function machine(): string {
  let processes = '';
  try {
    processes = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it; elsewhere the host's name must do.
  }
  return createHash('sha256').update(`${hostname()} ${processes}`).digest('hex').slice(0, 8);
}

/** When a process started, in ticks since the machine did; undefined where the system doesn't tell. */
function startOf(pid: number): string | undefined {
  try {
    // The program's name, in parentheses, may hold anything; the start is the 22nd field, 20th after it.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

function sweep(parent: string): void {
  swept.add(parent);
  for (const name of readdirSync(parent)) {
    const [, host, pid, start] = NAME.exec(name) ?? [];
    if (host !== machine() || !isGone(Number(pid), start)) continue;
    // Where it is another user's, or another process is at it already, it is left to them.
    rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** A process id that has been given to another process since stands for one that is gone, too. */
function isGone(pid: number, start: string | undefined): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
  const now = startOf(pid);
  return start !== '0' && now !== undefined && now !== start;
}
