import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** All processes of the machine that are not merely waiting to be reaped. */
async function listed(): Promise<Listed[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, group, stat = 'Z'] = line.trim().split(/\s+/);
    return stat.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group) }];
  });
}

/** The processes of a group. */
export async function groupMembers(group: number): Promise<number[]> {
  return (await listed()).filter((one) => one.group === group).map((one) => one.pid);
}

/** A process and all that it started, directly or not. */
export async function processTree(root: number): Promise<number[]> {
  const all = await listed();
  const found = [root];
  for (const pid of found) found.push(...all.filter((one) => one.parent === pid).map((one) => one.pid));
  return found;
}

/** The processes that have a text in their command line. */
export async function processesNaming(text: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout.split('\n').flatMap((line) => (line.includes(text) ? [Number.parseInt(line, 10)] : []));
}

/** Those of the processes that have not ended within 30 seconds. */
export async function survivors(pids: readonly number[]): Promise<number[]> {
  for (let tries = 0; ; tries++) {
    const all = new Set((await listed()).map((one) => one.pid));
    const left = pids.filter((pid) => all.has(pid));
    if (left.length === 0 || tries === 300) return left;
    await sleep(100);
  }
}
