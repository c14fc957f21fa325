// The Python side of the interop tests and of the bench: .venv in the project, from tests/interop/requirements.txt.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, root, say } from './setup.mjs';

const VENV = join(root, '.venv');
const VENV_PYTHON = join(VENV, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
const REQUIREMENTS = join(root, 'tests', 'interop', 'requirements.txt');
const STAMP = join(VENV, '.lakelet-installed');
const FLOOR = [3, 10];

/**
 * Makes or completes the project's .venv, where Python 3.10 or newer is on the machine.
 *
 * @returns {string | undefined} the venv's python; undefined where the machine has none that can make one
 * @throws {SetupError} where Python is there and installing failed
 */
export function setUpPython() {
  const requirements = readFileSync(REQUIREMENTS);
  const digest = createHash('sha256').update(requirements).digest('hex');
  const usable = runs(VENV_PYTHON);
  if (usable && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return VENV_PYTHON;
  if (!usable) {
    const python = machinePython();
    if (python === undefined) return undefined;
    rmSync(VENV, { recursive: true, force: true });
    quietly('python -m venv .venv', python, ['-m', 'venv', VENV]);
  }
  say('Installing the Python packages of tests/interop/requirements.txt into .venv (once) …');
  quietly('pip install', VENV_PYTHON, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    REQUIREMENTS,
  ]);
  writeFileSync(STAMP, digest);
  return VENV_PYTHON;
}

function machinePython() {
  const named = process.env.PYTHON;
  const names = named ? [named] : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
  return names.find((name) => runs(name));
}

function runs(python) {
  const check = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${FLOOR.join(', ')}))`;
  return spawnSync(python, ['-c', check], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
