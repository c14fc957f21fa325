import { printable } from '../errors.ts';
import type { StateChange } from '../workflow/index.ts';
import { seconds } from './figures.ts';
import type { Console } from './output.ts';

/** How often a live line is drawn anew, in milliseconds. */
const REDRAW = 200;

/** What a state is to a person; the others run no code. */
const STEPS: Readonly<Record<string, string>> = {
  Shards: 'bronze/shards',
  Bronze: 'bronze',
  Silver: 'silver',
  Gold: 'gold',
  RecordFailure: 'record-failure',
};

interface Running {
  readonly step: string;
  readonly since: number;
  message: string;
}

/**
 * Draws an execution whose steps run elsewhere on standard error, as `drawProgress` draws those that run here: a line as each
 * step ends, or fails and is tried again, and on a terminal one that changes meanwhile.
 */
export class StateProgress {
  private readonly console: Console;
  private readonly running = new Map<string, Running>();
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(console: Console) {
    this.console = console;
    if (console.live) this.timer = setInterval(() => this.redraw(), REDRAW).unref();
  }

  /** Tells of one change. */
  readonly tell = (told: StateChange): void => {
    const { state, at, change, error = 'an error', attempt, done, total } = told;
    const step = STEPS[state];
    if (step === undefined) return;
    const running = this.running.get(step);
    if (change === 'entered') this.running.set(step, { step, since: at, message: 'running' });
    if (running === undefined) return;
    if (change === 'progressed') running.message = total === undefined ? `${done} done` : `${done} of ${total} done`;
    if (change === 'retried') this.line(running, `failed with ${error}, tried again (${attempt})`, at);
    if (change === 'failed') running.message = `failed with ${error}`;
    if (change === 'caught') this.end(running, running.message, at);
    if (change === 'exited') this.end(running, 'done', at);
    if (change === 'retried') this.running.set(step, { step, since: at, message: 'running' });
  };

  /** No more is told. */
  close(): void {
    clearInterval(this.timer);
    if (this.console.live) this.console.err.write('\r\u001b[2K');
  }

  private end(running: Running, message: string, at: number): void {
    this.running.delete(running.step);
    this.line(running, message, at);
  }

  private line(running: Running, message: string, at: number): void {
    this.console.err.write(`${this.console.live ? '\r\u001b[2K' : ''}${textOf({ ...running, message }, at)}\n`);
  }

  private redraw(): void {
    const [running] = this.running.values();
    if (running !== undefined) this.console.err.write(`\r\u001b[2K${textOf(running, Date.now())}`);
  }
}

function textOf({ step, since, message }: Running, at: number): string {
  return `${step.padEnd(14)}  ${printable(message, 100)}  ${seconds(Math.max(0, at - since))}`;
}
