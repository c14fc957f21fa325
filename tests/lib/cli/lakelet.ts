import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { type AddCommands, main } from '../../../lib/cli/main.ts';
import { predictCommand } from '../../../lib/cli/predict-command.ts';
import { queryCommand } from '../../../lib/cli/query-command.ts';
import { tableCommand } from '../../../lib/cli/table-command.ts';
import { trainCommand } from '../../../lib/cli/train-command.ts';

/** What a command line said and how it ended. */
export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** The commands, and what `predict` reads as standard input. */
const commands =
  (input: PassThrough): AddCommands =>
  (program, outside) => {
    program.addCommand(predictCommand(outside, input));
    program.addCommand(queryCommand(outside));
    program.addCommand(tableCommand(outside));
    program.addCommand(trainCommand(outside));
  };

/** Runs `lakelet query …`, `table …`, `train …` or `predict …` in this process. */
export async function lakelet(
  argv: readonly string[],
  signal = new AbortController().signal,
  input = new PassThrough(),
): Promise<Answer> {
  const out = new Kept();
  const err = new Kept();
  const code = await main(argv, commands(input), {
    console: { out, err, live: false },
    signal,
    version: '1.2.3',
    env: { LOG_LEVEL: 'silent', LAKE_URI: '/nowhere/lake' },
  });
  return { code, out: out.text, err: err.text };
}

/** The objects of a result that has one a line. */
export function objects({ out }: Answer): Record<string, unknown>[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Runs the real command in a process of its own. */
export function lakeletProcess(argv: readonly string[]): Promise<Answer> {
  const bin = join(import.meta.dirname, '..', '..', '..', 'bin', 'lakelet.ts');
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    const child = execFile(process.execPath, [bin, ...argv], { env, maxBuffer: 1 << 28 }, (_error, out, err) => {
      resolve({ code: child.exitCode, out, err });
    });
  });
}
