// `npm start` and `npm run lakelet`: sets up what is missing, then runs the lakelet command with the options given.
import { join } from 'node:path';
import { runNode } from './run-node.mjs';
import { giveUp, root, say, setUp } from './setup.mjs';

try {
  const { node, seconds } = setUp();
  const began = Date.now();
  const code = await runNode(node, [join(root, 'bin', 'lakelet.ts'), ...process.argv.slice(2)]);
  if (seconds > 0 && code === 0) {
    const ran = (Date.now() - began) / 1000;
    say(`${ran.toFixed(1)} s, and ${seconds.toFixed(1)} s before it to install (not needed again).`);
  }
  process.exitCode = code;
} catch (error) {
  giveUp(error);
}
