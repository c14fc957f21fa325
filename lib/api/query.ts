import { type ChildProcess, spawn } from 'node:child_process';
import { z } from 'zod';
import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { IDLE, QUERY_PROCESS, timedOut } from './query-process.ts';
import type { QueryAnswer, QueryTask } from './query-run.ts';

const OUTCOME = z.union([
  // Handed on as it is, also where a column is called __proto__.
  z.object({ answer: z.custom<QueryAnswer>((answer) => isRecord(answer) && Array.isArray(answer.rows)) }),
  z.object({
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
    last: z.boolean().default(false),
  }),
]);

/** Runs queries of clients in processes of their own, so that none can stop, slow or see more than itself. */
export class QueryRunner {
  private readonly idle: { readonly child: ChildProcess; readonly since: number }[] = [];

  /**
   * Runs one query. A process that answered waits for the next query; one that took too long, or ended, is not used again.
   *
   * @throws LakeletError what the query came to, `QUERY_TIMEOUT`, `QUERY_CRASHED`
   */
  async run(task: QueryTask): Promise<QueryAnswer> {
    const child = this.waiting() ?? start();
    const outcome = await ask(child, task);
    if ('answer' in outcome) {
      this.idle.push({ child, since: Date.now() });
      return outcome.answer;
    }
    const { code, message, retryable } = outcome.error;
    if (!outcome.last) this.idle.push({ child, since: Date.now() });
    throw new LakeletError(code, message, { retryable });
  }

  /** Ends the processes that wait. */
  close(): void {
    for (const { child } of this.idle.splice(0)) child.kill('SIGKILL');
  }

  /** A process that waits; one that is about to end because it waited too long is none. */
  private waiting(): ChildProcess | undefined {
    for (;;) {
      const last = this.idle.pop();
      if (last === undefined) return undefined;
      const { child, since } = last;
      const isAlive = child.exitCode === null && child.signalCode === null;
      if (isAlive && Date.now() - since < IDLE / 2) return child;
      child.kill('SIGKILL');
    }
  }
}

function start(): ChildProcess {
  return spawn(process.execPath, [...QUERY_PROCESS], { stdio: ['pipe', 'pipe', 'ignore'] });
}

/** One query and its outcome; kills the process where that takes too long. */
function ask(child: ChildProcess, task: QueryTask): Promise<z.output<typeof OUTCOME>> {
  const { stdin, stdout } = child;
  return new Promise((resolve, reject) => {
    if (stdin === null || stdout === null) return reject(crashed('it has no pipes'));
    let text = '';
    const timer = setTimeout(() => end(() => reject(timedOut(task))), task.seconds * 1000);
    const onData = (part: string): void => {
      text += part;
      if (part.includes('\n')) answered(text);
    };
    const onError = (error: Error): void => end(() => reject(crashed(messageOf(error))));
    const onClose = (): void => {
      settle();
      reject(crashed(child.signalCode ?? `exit code ${child.exitCode}`));
    };
    const settle = (): void => {
      clearTimeout(timer);
      stdout.off('data', onData);
      for (const each of [child, stdin]) each.off('error', onError);
      child.off('close', onClose);
    };
    const end = (then: () => void): void => {
      settle();
      // What still comes of the pipes is of no interest, and must not raise an error that nobody listens to.
      for (const each of [child, stdin]) each.on('error', () => undefined);
      child.kill('SIGKILL');
      then();
    };
    const answered = (line: string): void => {
      const outcome = outcomeIn(line);
      if (outcome === undefined) end(() => reject(crashed('its answer is no outcome')));
      else {
        settle();
        resolve(outcome);
      }
    };
    stdout.setEncoding('utf8').on('data', onData);
    for (const each of [child, stdin]) each.on('error', onError);
    child.on('close', onClose);
    stdin.write(`${JSON.stringify(task)}\n`);
  });
}

function outcomeIn(line: string): z.output<typeof OUTCOME> | undefined {
  const checked = OUTCOME.safeParse(JSON.parse(line));
  return checked.success ? checked.data : undefined;
}

function crashed(why: string): LakeletError {
  return new LakeletError(
    'QUERY_CRASHED',
    `The process of the query ended before its answer (${printable(why, 100)}): the query is too large or too deeply nested; make it smaller`,
  );
}
