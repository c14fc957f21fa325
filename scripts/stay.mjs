// Commands that stay until they are told to end: `npm run emulators`, `npm run offline`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { giveUp, root, setUp } from './setup.mjs';

/**
 * Sets up what is missing, then runs a command of localstack/ until it ends, or until this process or npm does, however.
 *
 * @param {string} script the npm script's name
 * @param {string} file the command's file in localstack/
 */
export function stay(script, file) {
  try {
    const { node } = setUp();
    const command = [join(root, 'localstack', file), ...process.argv.slice(2)];
    // By the channel the child learns that this process is gone, however it ended.
    const child = spawn(node, command, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code) => process.exit(code ?? 1));
    if (process.env.npm_lifecycle_event === script) {
      // npm, when it is killed, tells nobody.
      const parent = process.ppid;
      setInterval(() => {
        if (process.ppid !== parent) child.kill('SIGTERM');
      }, 1000);
    }
  } catch (error) {
    giveUp(error);
  }
}
