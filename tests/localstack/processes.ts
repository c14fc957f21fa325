import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../localstack/lock.ts';

export { isAlive };

/** Resolves when none of them runs any more. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (!pids.some(isAlive)) return;
    await sleep(50);
  }
  throw new Error(`still running: ${pids.filter(isAlive).join(', ')}`);
}
