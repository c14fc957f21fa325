import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { LIMITS } from './limits.ts';
import { type QueryTask, runQuery, tooLarge } from './query-run.ts';

/** What the process of queries writes for each one, as a line of JSON. */
export type QueryOutcome =
  | { readonly answer: unknown }
  | {
      readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean };
      /** True where the process ends with it. */
      readonly last?: boolean;
    };

/** Marks the process of queries, which starts on this file, or on the bundle that it is part of. */
const TAG = 'lakelet/api/query';

/** How often the process looks at its memory, in milliseconds. */
const WATCH = 20;

/** After so long without a query the process ends by itself: who started it may be gone without a sign. In milliseconds. */
export const IDLE = 60_000;

/** Node's arguments for a process that runs queries: it reads a {@link QueryTask} a line, and writes a {@link QueryOutcome}. */
export const QUERY_PROCESS: readonly string[] = ['--max-old-space-size=512', fileURLToPath(import.meta.url), TAG];

/** Runs the queries of standard input one after the other, and ends with it. */
async function serve(): Promise<void> {
  process.stdin.on('end', () => process.exit(0));
  setInterval(endWhereTooLarge, WATCH).unref();
  let end = setTimeout(() => process.exit(0), IDLE);
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    clearTimeout(end);
    const task: QueryTask = JSON.parse(line);
    end = setTimeout(() => endWith(timedOut(task)), task.seconds * 1000);
    write(await outcomeOf(task));
    clearTimeout(end);
    end = setTimeout(() => process.exit(0), IDLE);
  }
}

async function outcomeOf(task: QueryTask): Promise<QueryOutcome> {
  try {
    return { answer: await runQuery(task) };
  } catch (error) {
    const { code, message, retryable } =
      error instanceof LakeletError
        ? error
        : new LakeletError('QUERY_FAILED', `The query failed: ${printable(messageOf(error))}`);
    return { error: { code, message, retryable } };
  }
}

/** DuckDB's threads go on while this one looks, so that the memory of a statement can be seen to grow. */
function endWhereTooLarge(): void {
  if (process.memoryUsage.rss() > LIMITS.queryProcessBytes) endWith(tooLarge());
}

/** Answers the query that is running, and ends the process: not by exit(), which would wait for DuckDB. */
function endWith({ code, message, retryable }: LakeletError): void {
  write({ error: { code, message, retryable }, last: true });
  process.kill(process.pid, 'SIGKILL');
}

/** The error of a query that took too long. */
export function timedOut({ seconds }: QueryTask): LakeletError {
  return new LakeletError(
    'QUERY_TIMEOUT',
    `The query took more than ${seconds} s and was stopped; read fewer rows, or let a run write what it computes into a table`,
  );
}

function write(outcome: QueryOutcome): void {
  const bytes = Buffer.from(`${JSON.stringify(outcome)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSome(bytes, at);
}

/** A pipe takes what fits; where it is full, its reader is waited for. */
function writeSome(bytes: Buffer, at: number): number {
  try {
    return writeSync(1, bytes, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}

// Later, when all of the bundle has been evaluated.
if (process.argv[2] === TAG) setImmediate(serve);
