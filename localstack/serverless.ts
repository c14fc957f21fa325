import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { projectFolder } from './settings.ts';

/** How to run Serverless. */
export interface ServerlessOptions {
  /** Set in its environment, which otherwise holds nothing of AWS, MLflow or a lake. */
  readonly settings: Readonly<Record<string, string>>;
  /** Told the steps, one line each. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

const LIMIT_MS = 300_000;
/** Its own lines that are worth telling. */
const TOLD = /^(Packaging|Compiling completed|Zip|Uploading service|Executing|No changes|✔)/;
/** What the caller may have set for other lakes and accounts. */
const NOT_INHERITED = /^(AWS_|MLFLOW_|LAKE_URI$|LOG_LEVEL$|NODE_OPTIONS$|SLS_|SERVERLESS_)/;

/**
 * Runs the project's Serverless, at most five minutes. Its whole output goes to logs/serverless.log.
 *
 * @param args for example `['deploy', '--stage', 'local']`
 * @throws LakeletError `DEPLOY_FAILED`, `CANCELLED`
 */
export async function runServerless(args: readonly string[], options: ServerlessOptions): Promise<void> {
  const log = join(projectFolder(), 'logs', 'serverless.log');
  const { code, signal } = await run(args, log, options);
  if (code === 0) return;
  const why = signal === null ? reasonIn(await readFile(log, 'utf8')) : `it did not end within ${LIMIT_MS / 1000} s`;
  throw new LakeletError(
    'DEPLOY_FAILED',
    `serverless ${args.join(' ')} failed: ${printable(why, 400)} (its whole output is in ${log}).`,
  );
}

async function run(
  args: readonly string[],
  log: string,
  { settings, say, signal }: ServerlessOptions,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  mkdirSync(dirname(log), { recursive: true });
  const output = createWriteStream(log);
  const root = projectFolder();
  const program = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name));
  const child = spawn(process.execPath, [program, ...args, '--verbose'], {
    cwd: root,
    // It asks every half second how far the stack is: nobody limits that here.
    env: { ...Object.fromEntries(inherited), SLS_AWS_MONITORING_FREQUENCY: '500', ...settings },
    // A standard input that stays open and silent would make it wait for ever.
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
    ...(signal !== undefined && { signal }),
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.write(`${line}\n`);
      if (TOLD.test(line)) say(line.trim());
    });
  }
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killed) => resolve({ code, signal: killed }));
    });
  } catch (cause) {
    if (signal?.aborted !== true) {
      throw new LakeletError('DEPLOY_FAILED', `Serverless can't be started: ${printable(messageOf(cause))}.`, {
        cause,
      });
    }
    throw new LakeletError('CANCELLED', 'The deployment was cancelled; deploy again to finish it.', { cause });
  } finally {
    output.end();
    await finished(output);
  }
}

/** The lines that follow `Error:`, as one. */
function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  const after = lines.slice(lines.lastIndexOf('Error:') + 1).filter((line) => line !== '');
  return after.slice(0, 2).join(': ').replace(/\.$/, '');
}
