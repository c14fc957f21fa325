// `npm run bench -- [pipeline|forest|boosting|serving] …`: sets up both sides, then measures ours beside the same job in Python.
import { join } from 'node:path';
import { setUpPython } from './python.mjs';
import { runNode } from './run-node.mjs';
import { giveUp, root, SetupError, setUp } from './setup.mjs';

/** Benches by name, and whether they compare with packages that the tests don't need. */
const BENCHES = { pipeline: false, forest: true, boosting: true, serving: false };

try {
  const { node } = setUp();
  const given = process.argv.slice(2);
  const named = given[0] !== undefined && !given[0].startsWith('-');
  const name = named ? given[0] : 'pipeline';
  if (!Object.hasOwn(BENCHES, name)) {
    throw new SetupError(`There is no bench "${name}": name one of ${Object.keys(BENCHES).join(', ')}`);
  }
  if (setUpPython({ peers: BENCHES[name] }) === undefined) {
    throw new SetupError(
      'No Python 3.10 or newer with venv was found, and the bench compares with it: install python3 and python3-venv',
    );
  }
  process.exitCode = await runNode(node, [join(root, 'bench', `${name}.ts`), ...given.slice(named ? 1 : 0)]);
} catch (error) {
  giveUp(error);
}
