import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interpreterOf } from '../lib/mlflow/index.ts';

/** The project's root, an absolute path. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The Python of the project's `.venv`, which scripts/python.mjs makes. */
export const PYTHON = interpreterOf(join(ROOT, '.venv'));

/**
 * Runs a program in a process of its own, hands it its job as JSON on standard input, and returns the JSON that it prints.
 *
 * @param settings variables set beside this process's
 * @throws Error where it can't be started, or ends with another code than 0; its standard error is this process's
 */
export function measured<T>(
  command: string,
  args: readonly string[],
  job: unknown = {},
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...settings } });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}`));
    });
    // A program that ends before it has read its job says so by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(job));
  });
}
