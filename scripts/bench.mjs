// `npm run bench`: sets up both sides, then measures the pipeline beside the same job in Python.
import { join } from 'node:path';
import { setUpPython } from './python.mjs';
import { runNode } from './run-node.mjs';
import { giveUp, root, SetupError, setUp } from './setup.mjs';

try {
  const { node } = setUp();
  if (setUpPython() === undefined) {
    throw new SetupError(
      'No Python 3.10 or newer with venv was found, and the bench compares with it: install python3 and python3-venv',
    );
  }
  process.exitCode = await runNode(node, [join(root, 'bench', 'pipeline.ts'), ...process.argv.slice(2)]);
} catch (error) {
  giveUp(error);
}
