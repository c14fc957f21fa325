import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const LOCK = {
  packages: { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } },
};
/** Stands in for npm: notes how it was called, then installs what the lock says, or fails as it is told. */
const NPM = `const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
if (process.env.NPM_FAILS) { console.error('npm error code ' + process.env.NPM_FAILS + '\\nnpm error more'); process.exit(1); }
mkdirSync('node_modules', { recursive: true });
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/a': { version: '1.0.0' } } }));`;
let project = '';

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'lakelet-setup-'));
  cpSync(join(root, 'scripts'), join(project, 'scripts'), { recursive: true });
  writeFileSync(join(project, 'package-lock.json'), JSON.stringify(LOCK));
  writeFileSync(join(project, 'npm.cjs'), NPM);
});

afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

function script(name: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
  const done = spawnSync(process.execPath, [join(project, 'scripts', name), ...args], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, npm_execpath: join(project, 'npm.cjs'), ...env },
    encoding: 'utf8',
  });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

function npmCalls(): string[] {
  const file = join(project, 'npm-calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

describe('the set-up', () => {
  it('installs what is missing once, development packages included, and says so in one line', () => {
    const first = script('setup.mjs', { NODE_ENV: 'production' });
    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(first.stderr.trim().split('\n')).toHaveLength(1);
    expect(script('setup.mjs')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(npmCalls()).toEqual([expect.stringMatching(/^ci .*--include=dev/)]);
  });

  it('installs again when the lock has changed, unless what it asks for is there', () => {
    script('setup.mjs');
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify({ ...LOCK, name: 'renamed' }));
    script('setup.mjs');
    expect(npmCalls()).toHaveLength(1);
    const packages = { ...LOCK.packages, 'node_modules/a': { version: '1.0.1' } };
    writeFileSync(join(project, 'package-lock.json'), JSON.stringify({ packages }));
    script('setup.mjs');
    expect(npmCalls()).toHaveLength(2);
  });

  it('ends with one clear line where the registry cannot be reached, and tries again the next time', () => {
    const failed = script('setup.mjs', { NPM_FAILS: 'ENOTFOUND' });
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    const lines = failed.stderr.trim().split('\n');
    expect(lines.at(-1)).toMatch(/^error SETUP_FAILED: npm ci failed \(ENOTFOUND: .*network.*logs\/setup\.log\.$/);
    expect(lines).toHaveLength(2);
    expect(readFileSync(join(project, 'logs', 'setup.log'), 'utf8')).toContain('npm error more');
    expect(script('setup.mjs').status).toBe(0);
  });

  it("hands the command's options in and its exit code out", () => {
    mkdirSync(join(project, 'bin'));
    writeFileSync(
      join(project, 'bin', 'lakelet.ts'),
      'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;',
    );
    const options = ['run', '--rows', '10', 'a b'];
    expect(script('lakelet.mjs', {}, options)).toMatchObject({ status: 7, stdout: `${JSON.stringify(options)}\n` });
  });
});

describe('the count of tests', () => {
  function count(report: object | undefined) {
    mkdirSync(join(project, 'logs'));
    if (report !== undefined) writeFileSync(join(project, 'logs', 'tests.json'), JSON.stringify(report));
    const { status, stdout } = script('count.mjs');
    return { status, stdout };
  }

  it('is one line from the report', () => {
    const report = { numPassedTests: 12, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
    expect(count(report)).toEqual({ status: 0, stdout: '12 passed, 0 failed\n' });
  });

  it('counts a test file that could not be run as a failure', () => {
    const report = { numPassedTests: 12, numFailedTests: 1, numRuntimeErrorTestSuites: 2 };
    expect(count(report)).toEqual({ status: 1, stdout: '12 passed, 3 failed\n' });
  });

  it('is a failure where no test ran or no report was written', () => {
    expect(count(undefined)).toEqual({ status: 1, stdout: '0 passed, 1 failed\n' });
  });
});
