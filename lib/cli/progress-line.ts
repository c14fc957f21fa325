import { printable } from '../errors.ts';
import { onProgress, type Progress } from '../progress.ts';
import { count, seconds } from './figures.ts';
import type { Console } from './output.ts';

/** How often a live line is drawn anew, in milliseconds. */
const REDRAW = 80;

/** What steps count that do not count rows. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['gold', 'tables'],
  ['gold/train', 'trees'],
  ['train', 'trees'],
  ['cv', 'folds'],
]);

interface Step {
  readonly started: number;
  rows: number | undefined;
  total: number | undefined;
  message: string | undefined;
}

/**
 * Draws the progress of this process on standard error until the returned function is called: on a terminal one line that
 * changes, elsewhere one line as each step ends.
 */
export function drawProgress(console: Console, now: () => number = () => performance.now()): () => void {
  const steps = new Map<string, Step>();
  let drawn = Number.NEGATIVE_INFINITY;
  const stop = onProgress((event) => {
    const step = noted(steps, event, now());
    if (event.done === true) {
      steps.delete(event.step);
      console.err.write(`${console.live ? '\r\u001b[2K' : ''}${stepText(event.step, step, now())}\n`);
    } else if (console.live && now() - drawn >= REDRAW) {
      drawn = now();
      console.err.write(`\r\u001b[2K${stepText(event.step, step, drawn)}`);
    }
  });
  return () => {
    stop();
    if (console.live) console.err.write('\r\u001b[2K');
  };
}

function noted(steps: Map<string, Step>, event: Progress, now: number): Step {
  let step = steps.get(event.step);
  if (step === undefined) {
    step = { started: now, rows: undefined, total: undefined, message: undefined };
    steps.set(event.step, step);
  }
  step.rows = event.rows ?? step.rows;
  step.total = event.total ?? step.total;
  step.message = event.message ?? step.message;
  return step;
}

function stepText(name: string, step: Step, now: number): string {
  const elapsed = now - step.started;
  const parts = [printable(name, 40).padEnd(14)];
  if (step.message !== undefined) parts.push(printable(step.message, 60));
  if (step.rows !== undefined) {
    const unit = UNITS.get(name) ?? 'rows';
    const of = step.total === undefined || step.total === step.rows ? '' : ` of ${count(step.total)}`;
    const speed = elapsed > 0 ? `, ${count(Math.round(step.rows / (elapsed / 1000)))} ${unit}/s` : '';
    parts.push(`${count(step.rows)}${of} ${unit}${speed}`);
  }
  parts.push(seconds(elapsed));
  return parts.join('  ');
}
