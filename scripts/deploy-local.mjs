// `npm run deploy:local` and `npm run remove:local` (--remove): sets up what is missing, then deploys serverless.yml to
// LocalStack, or removes it from there.
import { join } from 'node:path';
import { runNode } from './run-node.mjs';
import { giveUp, root, setUp } from './setup.mjs';

try {
  const { node } = setUp();
  process.exitCode = await runNode(node, [join(root, 'localstack', 'deploy-local.ts'), ...process.argv.slice(2)]);
} catch (error) {
  giveUp(error);
}
