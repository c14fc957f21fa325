// `npm test`: sets up what is missing, Python packages and emulators included, and runs the tests; `npm run test:unit`
// (--unit) runs those that need neither network nor Python and are done within two minutes. Other arguments go to jest. The
// report is logs/tests.json.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { emulatorTests, setUpEmulators } from './emulator-tests.mjs';
import { setUpPython } from './python.mjs';
import { runNode } from './run-node.mjs';
import { giveUp, root, SetupError, say, setUp } from './setup.mjs';

const NEED_NETWORK = ['tests/package/'];
const NEED_PYTHON = ['tests/interop/'];
/** They start the whole command again and again. */
const NEED_TIME = ['tests/aws/', 'tests/bench/', 'tests/docs/', 'tests/fault/', 'tests/functions/invoke-local'];

/**
 * What to leave out of the tests, having set up what the others need. Where paths are given, only what they need.
 *
 * @param {string} node the project's Node
 * @param {string[]} args for jest, paths among them
 * @returns {Promise<string[]>} paths of tests
 */
async function leftOut(node, args) {
  if (args.includes('--unit')) return [...NEED_NETWORK, ...NEED_PYTHON, ...NEED_TIME, ...emulatorTests()];
  const emulators = emulatorTests();
  // Begun first: it goes on in a process of its own while Python's packages are installed here.
  const settingUp = mayRun(emulators, args) ? setUpEmulators(node) : undefined;
  const missing = [];
  if (setUpPython() === undefined) {
    leaveOut(
      NEED_PYTHON,
      'no Python 3.10 or newer with venv was found; install python3 and python3-venv (or name one in PYTHON)',
    );
    missing.push(...NEED_PYTHON);
  }
  const reason = await settingUp;
  if (reason !== undefined) {
    leaveOut(emulators, reason);
    missing.push(...emulators);
  }
  return missing;
}

function leaveOut(tests, reason) {
  const line = `The tests of ${tests.join(', ')} are left out: ${reason}`;
  if (process.env.CI === 'true') throw new SetupError(line);
  say(line);
}

/** False where only tests are named, and none of these among them. */
function mayRun(tests, args) {
  const named = args.filter((argument) => argument.startsWith('tests/'));
  if (named.length === 0 || named.length < args.length) return true;
  return named.some((name) => tests.some((test) => test.startsWith(name) || name.startsWith(test)));
}

try {
  const args = process.argv.slice(2);
  const { node } = setUp();
  const ignored = (await leftOut(node, args)).map((path) => `<rootDir>/${path}`);
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
