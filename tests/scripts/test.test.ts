import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
/** Stands in for what installs LocalStack and MinIO: notes that it was called, then does as it is told. */
const INSTALL = `import { writeFileSync } from 'node:fs';
writeFileSync('installed', '');
if (process.env.MISSING) { console.log(process.env.MISSING); process.exitCode = 1; }`;
const FILES = {
  'node_modules/.package-lock.json': '{"packages":{}}',
  'node_modules/jest/bin/jest.js': 'console.log(JSON.stringify(process.argv.slice(2)))',
  'package-lock.json': '{"packages":{}}',
  'localstack/install.ts': INSTALL,
  'localstack/minio.ts': '',
  'tests/emulator/a.test.ts': '',
  'tests/fault/direct.test.ts': "import { startMinio } from '../../localstack/minio.ts';",
  'tests/fault/through.test.ts': "import { start } from './servers.ts';",
  'tests/fault/servers.ts':
    "import { other } from './through.test.ts';\nexport { start } from '../../localstack/minio.ts';",
  'tests/fault/without.test.ts': "import { gone } from './not-there.ts';",
  'tests/interop/requirements.txt': '',
  'tests/lib/a.test.ts': '',
};
const EMULATORS = ['tests/localstack/', 'tests/emulator/', 'tests/fault/direct.test.ts', 'tests/fault/through.test.ts'];
let project = '';

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
  cpSync(join(root, 'scripts'), join(project, 'scripts'), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
});

afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

/** Runs scripts/test.mjs where there is no Python; what jest is told to leave out comes back as paths in the project. */
function test(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const done = spawnSync(process.execPath, [join(project, 'scripts', 'test.mjs'), ...args], {
    env: { PATH: process.env.PATH, PYTHON: 'no-such-python', ...env },
    encoding: 'utf8',
  });
  const jest = done.stdout === '' ? [] : (JSON.parse(done.stdout) as string[]);
  const leftOut = jest.flatMap((argument) => (argument.startsWith('<rootDir>/') ? [argument.slice(10)] : []));
  return { status: done.status, leftOut, lines: done.stderr.trim().split('\n') };
}

function installed(): boolean {
  return existsSync(join(project, 'installed'));
}

describe('npm test', () => {
  it('sets the emulators up before the tests begin', () => {
    const { status, leftOut } = test([]);
    expect({ status, leftOut, installed: installed() }).toEqual({
      status: 0,
      leftOut: ['tests/interop/'],
      installed: true,
    });
  });

  it('leaves out what needs the emulators where they can not be had, and says so in one line', () => {
    const { status, leftOut, lines } = test([], { MISSING: 'LocalStack needs Python 3.11' });
    expect(status).toBe(0);
    expect(new Set(leftOut)).toEqual(new Set(['tests/interop/', ...EMULATORS]));
    expect(lines.filter((line) => line.includes('tests/emulator/'))).toEqual([
      expect.stringMatching(/^The tests of tests\/localstack\/.* are left out: LocalStack needs Python 3\.11$/),
    ]);
  });

  it('fails in CI where anything is missing', () => {
    const { status, lines } = test([], { MISSING: 'LocalStack needs Python 3.11', CI: 'true' });
    expect(status).toBe(1);
    expect(lines.at(-1)).toMatch(/^error SETUP_FAILED: The tests of /);
  });

  it.each([
    ['tests/lib', false],
    ['tests/fault/without.test.ts', false],
    ['tests/fault', true],
    ['tests/fault/through.test.ts', true],
    ['tests/emulator/a.test.ts', true],
    ['a.test', true],
  ])('sets the emulators up for %s: %s', (path, needed) => {
    expect(test([path]).status).toBe(0);
    expect(installed()).toBe(needed);
  });

  it('needs none of it for the unit tests', () => {
    const { leftOut } = test(['--unit'], { MISSING: 'LocalStack needs Python 3.11', CI: 'true' });
    expect(leftOut).toEqual(expect.arrayContaining(EMULATORS));
    expect(leftOut).not.toContain('tests/lib/');
    expect(installed()).toBe(false);
  });
});
