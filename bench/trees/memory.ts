import { readFileSync, writeFileSync } from 'node:fs';

/** This process's resident memory: what it holds now, and its peak, MB (2²⁰ bytes). */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

/** Forgets the peak so far, where the system can (Linux); elsewhere the peak is the process's whole life's. */
export function forgetPeak(): void {
  if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
}

/** What the system says of this process's memory. */
export function memory(): Memory {
  if (process.platform !== 'linux') {
    return { now: process.memoryUsage.rss() / 2 ** 20, peak: process.resourceUsage().maxRSS / 1024 };
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { now: kilobytes('VmRSS') / 1024, peak: kilobytes('VmHWM') / 1024 };
}
