import { setTimeout as sleep } from 'node:timers/promises';

/** True while a process of this id runs (one that ended and that nobody has asked about yet counts as well). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when none of them runs any more. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (!pids.some(isAlive)) return;
    await sleep(50);
  }
  throw new Error(`still running: ${pids.filter(isAlive).join(', ')}`);
}
