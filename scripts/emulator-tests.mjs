// Which tests need the emulators, and what these need to be there before the tests begin.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './setup.mjs';

const FOLDERS = ['tests/localstack/', 'tests/emulator/'];

/**
 * The tests that start emulators: those of two folders, and those that import a starter, directly or not.
 *
 * @returns {string[]} paths in the project, with slashes
 */
export function emulatorTests() {
  const files = readdirSync(join(root, 'tests'), { recursive: true }).map(
    (name) => `tests/${name.replaceAll('\\', '/')}`,
  );
  const tests = files.filter((file) => file.endsWith('.test.ts') && !FOLDERS.some((folder) => file.startsWith(folder)));
  return [...FOLDERS, ...tests.filter((file) => importsStarter(file))];
}

/**
 * Installs LocalStack and builds MinIO, in a process of their own, where they are missing.
 *
 * @param {string} node the Node to run it with
 * @returns {Promise<string | undefined>} why that could not be done; undefined where all is there
 */
export async function setUpEmulators(node) {
  const child = spawn(node, [join(root, 'localstack', 'install.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill();
  process.once('exit', end);
  let reasons = '';
  child.stdout.on('data', (chunk) => {
    reasons += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  process.off('exit', end);
  if (code === 0) return undefined;
  return reasons.trim().replaceAll('\n', ' ') || 'their installation failed, see the lines above';
}

function importsStarter(file, seen = new Set()) {
  if (seen.has(file) || !existsSync(join(root, file))) return false;
  seen.add(file);
  const imports = [
    ...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export|}) ?.*from '(\.{1,2}\/[^']+\.ts)'/gm),
  ];
  const targets = imports.map(([, path]) => join(dirname(file), path).replaceAll('\\', '/'));
  return targets.some(
    (target) => target.startsWith('localstack/') || (target.startsWith('tests/') && importsStarter(target, seen)),
  );
}
