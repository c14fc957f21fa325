import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './setup.mjs';

/**
 * Runs Node with the project's programs first on PATH, on this process's input and outputs, and hands signals on.
 *
 * @param {string} node the Node to run
 * @param {string[]} args
 * @param {Record<string, string>} [env] variables set beside this process's
 * @returns {Promise<number>} the exit code; 128 and the signal's number where a signal ended it
 */
export function runNode(node, args, env = {}) {
  const path = [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(node, args, { stdio: 'inherit', env: { ...process.env, PATH: path, ...env } });
  // A terminal's Ctrl-C reaches the child by itself; this process must outlive it to pass its exit code on.
  const ignore = () => undefined;
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', ignore);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)));
  });
}
