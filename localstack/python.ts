import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { interpreterOf, succeeds } from '../lib/mlflow/python.ts';
import { withLock } from './lock.ts';

const run = promisify(execFile);

/** Which Pythons will do, as `[major, minor]`; `below` is the first that will not. */
export interface PythonRange {
  readonly from: readonly [number, number];
  readonly below?: readonly [number, number];
}

/** How to make a virtual environment. */
export interface VenvOptions {
  /** Its folder; `<folder>.lock` beside it excludes a second installation at the same time. */
  readonly folder: string;
  /** A file of pinned requirements, as pip reads it. */
  readonly requirements: string;
  /** What is installed, for messages: `LocalStack 4.7.0`. */
  readonly what: string;
  readonly python: PythonRange;
  /** Commands that may be such a Python; those that are usual where absent. `PYTHON` in the environment comes first. */
  readonly pythons?: readonly string[];
  /** Told one line before an installation, which takes a minute or so. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The interpreter of a virtual environment with exactly what `requirements` names. It is made with packages from PyPI
 * (or from the index that pip is configured for) where it is missing, incomplete, or of other requirements; a stamp,
 * written last, tells.
 *
 * @throws LakeletError `PYTHON_MISSING`, `PYTHON_INSTALL_FAILED`, `CANCELLED`
 */
export async function pythonVenv(options: VenvOptions): Promise<string> {
  const { folder, say, signal } = options;
  const digest = createHash('sha256')
    .update(await readFile(options.requirements))
    .digest('hex');
  if (await isInstalled(folder, digest)) return interpreterOf(folder);
  const waiting = { ...(say !== undefined && { say }), ...(signal !== undefined && { signal }) };
  return withLock(
    `${folder}.lock`,
    async () => {
      if (!(await isInstalled(folder, digest))) await install(options, digest);
      return interpreterOf(folder);
    },
    waiting,
  );
}

/**
 * A Python of the range that can make virtual environments: `PYTHON` of the environment, those in the path, then
 * pyenv's.
 *
 * @throws LakeletError `PYTHON_MISSING`
 */
export async function findPython(what: string, range: PythonRange, names?: readonly string[]): Promise<string> {
  const below = range.below === undefined ? '' : ` < (${range.below.join(', ')})`;
  const condition = `(${range.from.join(', ')}) <= sys.version_info${below}`;
  for (const name of names ?? (await usualPythons(range))) {
    if (await succeeds(name, ['-c', `import sys, venv, ensurepip; sys.exit(0 if ${condition} else 1)`])) return name;
  }
  const version = range.from.join('.');
  throw new LakeletError(
    'PYTHON_MISSING',
    `${what} needs Python ${version}${range.below === undefined ? ' or newer' : ` (older than ${range.below.join('.')})`} with venv, and none was found: install it (Debian and Ubuntu: apt install python${version} python${version}-venv; macOS: brew install python@${version}; pyenv: pyenv install ${version}), or name one in PYTHON.`,
  );
}

/** With `PYTHON` of the environment first, as the tests' own set-up takes it. */
async function usualPythons({ from: [major, minor] }: PythonRange): Promise<string[]> {
  const named = process.env.PYTHON;
  const exact = `python${major}.${minor}`;
  const inPath = process.platform === 'win32' ? ['python', 'py', 'python3'] : [exact, 'python3', 'python'];
  return [...(named ? [named] : []), ...inPath, ...(await pyenvPythons(`${major}.${minor}.`))];
}

/** pyenv's interpreters, also those that no shim leads to. */
async function pyenvPythons(prefix: string): Promise<string[]> {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const folders = await readdir(versions).catch(() => []);
  return folders.filter((name) => name.startsWith(prefix)).map((name) => join(versions, name, 'bin', 'python'));
}

async function install(options: VenvOptions, digest: string): Promise<void> {
  const { folder, requirements, what, signal } = options;
  const python = await findPython(what, options.python, options.pythons);
  options.say?.(`installing ${what} from PyPI into ${folder} (once)`);
  const settings = { ...(signal !== undefined && { signal }), maxBuffer: 64 * 1024 * 1024 };
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '-r', requirements];
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await run(python, ['-m', 'venv', folder], settings);
    await run(interpreterOf(folder), pip, settings);
    await writeFile(stampOf(folder), digest);
  } catch (cause) {
    if (signal?.aborted === true) {
      throw new LakeletError('CANCELLED', `The installation of ${what} was cancelled.`, { cause });
    }
    const lines = messageOf(cause).trim().split('\n');
    throw new LakeletError(
      'PYTHON_INSTALL_FAILED',
      `${what} could not be installed into ${printable(folder, 200)} (${printable(lines.at(-1) ?? '', 300)}): check that pip reaches a package index, and try again.`,
      { retryable: true, cause },
    );
  }
}

function stampOf(folder: string): string {
  return join(folder, 'lakelet-installed');
}

async function isInstalled(folder: string, digest: string): Promise<boolean> {
  // No stamp, or none that can be read: the environment is made anew.
  const stamp = await readFile(stampOf(folder), 'utf8').catch(() => undefined);
  return stamp === digest && (await succeeds(interpreterOf(folder), ['-c', '']));
}
