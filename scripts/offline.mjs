// `npm run offline`: sets up what is missing, then serves the functions and the HTTP API through serverless-offline.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { giveUp, root, setUp } from './setup.mjs';

try {
  const { node } = setUp();
  const command = [join(root, 'localstack', 'offline-command.ts'), ...process.argv.slice(2)];
  // By the channel the child learns that this process is gone, however it ended.
  const child = spawn(node, command, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
  if (process.env.npm_lifecycle_event === 'offline') {
    // npm, when it is killed, tells nobody.
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) child.kill('SIGTERM');
    }, 1000);
  }
} catch (error) {
  giveUp(error);
}
