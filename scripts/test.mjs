// `npm test`: sets up what is missing, Python packages included, and runs the tests; `npm run test:unit` (--unit) runs
// those that need neither network nor Python and are done within a minute. Other arguments go to jest. The report is
// logs/tests.json.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setUpPython } from './python.mjs';
import { runNode } from './run-node.mjs';
import { giveUp, root, SetupError, say, setUp } from './setup.mjs';

const NEED_NETWORK = ['tests/package/'];
const NEED_PYTHON = ['tests/interop/'];
/** They start the whole command again and again. */
const NEED_TIME = ['tests/bench/', 'tests/docs/', 'tests/fault/', 'tests/functions/invoke-local'];

/** The folders to leave out, and the line that says so. */
function leftOut(unit) {
  if (unit) return [...NEED_NETWORK, ...NEED_PYTHON, ...NEED_TIME];
  if (setUpPython() !== undefined) return [];
  const line = `No Python 3.10 or newer with venv was found, so the tests of ${NEED_PYTHON.join(', ')} are left out: install python3 and python3-venv (or name one in PYTHON) and run npm test again.`;
  if (process.env.CI === 'true') throw new SetupError(line);
  say(line);
  return NEED_PYTHON;
}

try {
  const args = process.argv.slice(2);
  const unit = args.includes('--unit');
  const { node } = setUp();
  const ignored = leftOut(unit).map((folder) => `<rootDir>/${folder}`);
  mkdirSync(join(root, 'logs'), { recursive: true });
  process.exitCode = await runNode(
    node,
    [
      join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...['--json', `--outputFile=${join(root, 'logs', 'tests.json')}`],
      ...(ignored.length > 0 ? ['--testPathIgnorePatterns', '/node_modules/', ...ignored] : []),
      ...args
        .filter((argument) => argument !== '--unit')
        .flatMap((argument, at) => (at === 0 ? ['--', argument] : [argument])),
    ],
    {
      NODE_OPTIONS:
        `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
    },
  );
} catch (error) {
  giveUp(error);
}
