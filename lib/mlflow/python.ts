import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { MLFLOW_VERSION } from './model-folder.ts';

const run = promisify(execFile);

const NAMES =
  process.platform === 'win32'
    ? ['python', 'py', 'python3']
    : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/** Where an MLflow that can be started lies. */
export interface MlflowInstall {
  /** The interpreter that has `mlflow`. */
  readonly python: string;
}

/** How to find or make one. */
export interface InstallOptions {
  /** The folder for a virtual environment of Lakelet's own. */
  readonly venv: string;
  /** Interpreters that may have the pinned MLflow already (the tests' own, for example); they are used where they do. */
  readonly candidates?: readonly string[];
  /** Commands that may be a Python 3.10 or newer; those that are usual on this platform where absent. */
  readonly pythons?: readonly string[];
  /** Told before the installation, which takes a minute or two. */
  readonly onInstall?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * An interpreter with the pinned MLflow: one of the candidates, else a virtual environment of Lakelet's own, which is
 * made with packages from PyPI where it is missing. A half-made one is made anew.
 *
 * @throws LakeletError `PYTHON_MISSING`, `MLFLOW_INSTALL_FAILED`
 */
export async function mlflowInstall(options: InstallOptions): Promise<MlflowInstall> {
  for (const python of options.candidates ?? []) {
    if (await hasMlflow(python)) return { python };
  }
  const python = interpreterOf(options.venv);
  const stamp = join(options.venv, 'lakelet-mlflow');
  if ((await textOf(stamp)) === MLFLOW_VERSION && (await hasMlflow(python))) return { python };
  await install(await findPython(options.pythons ?? NAMES), options);
  await writeFile(stamp, MLFLOW_VERSION);
  return { python };
}

/** The interpreter of a virtual environment. */
export function interpreterOf(venv: string): string {
  return process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
}

/**
 * A Python 3.10 or newer that can make virtual environments.
 *
 * @throws LakeletError `PYTHON_MISSING`
 */
export async function findPython(names: readonly string[] = NAMES): Promise<string> {
  const check = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
  for (const name of names) {
    if (await succeeds(name, ['-c', check])) return name;
  }
  throw new LakeletError(
    'PYTHON_MISSING',
    'An MLflow server needs Python 3.10 or newer with venv: install it (on Debian and Ubuntu: apt install python3-venv), or set MLFLOW_TRACKING_URI to a server that runs elsewhere.',
  );
}

async function install(python: string, { venv, onInstall, signal }: InstallOptions): Promise<void> {
  onInstall?.(`installing mlflow ${MLFLOW_VERSION} from PyPI into ${venv}`);
  const options = { ...(signal !== undefined && { signal }), maxBuffer: 64 * 1024 * 1024 };
  try {
    await rm(venv, { recursive: true, force: true });
    await mkdir(venv, { recursive: true });
    await run(python, ['-m', 'venv', venv], options);
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-input',
      `mlflow==${MLFLOW_VERSION}`,
    ];
    await run(interpreterOf(venv), pip, options);
  } catch (cause) {
    const lines = messageOf(cause).trim().split('\n');
    throw new LakeletError(
      'MLFLOW_INSTALL_FAILED',
      `mlflow ${MLFLOW_VERSION} could not be installed into ${printable(venv, 200)} (${printable(lines.at(-1) ?? '', 300)}): check that pip reaches a package index, and try again.`,
      { retryable: true, cause },
    );
  }
}

/** True where a Python is there and has these packages, each at its version. */
export function hasPackages(python: string, versions: Readonly<Record<string, string>>): Promise<boolean> {
  const check =
    'import importlib.metadata as m, json, sys; w = json.loads(sys.argv[1]); [m.version(n) == w[n] or sys.exit(1) for n in w]';
  return succeeds(python, ['-c', check, JSON.stringify(versions)]);
}

function hasMlflow(python: string): Promise<boolean> {
  return hasPackages(python, { mlflow: MLFLOW_VERSION });
}

/** Whether a command ends with exit code 0 within a minute. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args, { timeout: 60_000 });
    return true;
  } catch {
    // Not there, or not what is needed: the caller looks at the next one, and says so when there is none.
    return false;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // No stamp, or none that can be read: the environment is made anew.
    return undefined;
  }
}
