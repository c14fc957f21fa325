// The Python side of the interop tests and of the benches: .venv in the project, from tests/interop/requirements.txt and,
// where a bench asks for it, bench/requirements.txt.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, root, say } from './setup.mjs';

const VENV = join(root, '.venv');
const VENV_PYTHON = join(VENV, ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
/** What the tests need, and what only some benches compare with; each has a stamp of what was installed of it. */
const PACKAGES = { file: ['tests', 'interop', 'requirements.txt'], stamp: '.lakelet-installed' };
const PEERS = { file: ['bench', 'requirements.txt'], stamp: '.lakelet-peers-installed' };
const FLOOR = [3, 10];

/**
 * Makes or completes the project's .venv, where Python 3.10 or newer is on the machine.
 *
 * @param {{ peers?: boolean }} [options] whether it needs the peers of the benches too
 * @returns {string | undefined} the venv's python; undefined where the machine has none that can make one
 * @throws {SetupError} where Python is there and installing failed
 */
export function setUpPython({ peers = false } = {}) {
  if (!runs(VENV_PYTHON)) {
    const python = machinePython();
    if (python === undefined) return undefined;
    rmSync(VENV, { recursive: true, force: true });
    quietly('python -m venv .venv', python, ['-m', 'venv', VENV]);
  }
  install(PACKAGES);
  if (peers) install(PEERS);
  return VENV_PYTHON;
}

function install({ file, stamp }) {
  const requirements = join(root, ...file);
  const stampFile = join(VENV, stamp);
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest) return;
  say(`Installing the Python packages of ${file.join('/')} into .venv (once) …`);
  const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  quietly('pip install', VENV_PYTHON, args);
  writeFileSync(stampFile, digest);
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
