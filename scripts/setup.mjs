// Installs what the project needs and lacks: npm's packages, and on an older Node a newer one inside the project.
// Plain JavaScript without dependencies, since it runs first, on whatever Node (20.20 and newer) the machine has.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The project's root, an absolute path. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_VERSION = '24.9.0';
const NODE_BINARY = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const STAMP = join(root, 'node_modules', '.lakelet-installed');

/** What could not be set up, in one line. */
export class SetupError extends Error {}

/**
 * Installs the packages of package-lock.json (development ones too) and a Node that runs TypeScript, where they are
 * missing; where nothing is, this takes milliseconds.
 *
 * @returns {{ node: string, seconds: number }} the Node to run the project's TypeScript with; how long installing took
 * @throws {SetupError}
 */
export function setUp() {
  const began = Date.now();
  const lock = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  const stamped = existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest;
  if (!stamped) {
    if (!holdsPackagesOf(lock)) {
      say('Installing the packages of package-lock.json (once) …');
      npm('npm ci', ['ci', '--include=dev', '--include=optional']);
    }
    writeFileSync(STAMP, digest);
  }
  const node = newEnough() ? process.execPath : projectNode();
  return { node, seconds: stamped ? 0 : (Date.now() - began) / 1000 };
}

/** One line about a step, to standard error: standard output is the result's alone. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs a command without input and keeps its output for the day it fails.
 *
 * @param {string} what the command's name in messages and in its log under logs/
 * @param {string} command
 * @param {string[]} args
 * @throws {SetupError} one line, with where the whole output lies
 */
export function quietly(what, command, args, options = {}) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    ...options,
  });
  if (done.status === 0) return;
  const output = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error ? String(done.error) : ''}`;
  const log = join('logs', 'setup.log');
  mkdirSync(join(root, 'logs'), { recursive: true });
  writeFileSync(join(root, log), output);
  throw new SetupError(`${what} failed (${reasonIn(output, done)}). Its whole output is in ${log}.`);
}

/** Ends the process as a set-up step's error asks: one line, exit code 1. Other errors are bugs and are thrown on. */
export function giveUp(error) {
  if (!(error instanceof SetupError)) throw error;
  say(`error SETUP_FAILED: ${error.message}`);
  process.exit(1);
}

function newEnough() {
  return Number.parseInt(process.versions.node, 10) >= 22 && Boolean(process.features.typescript);
}

function projectNode() {
  if (versionOf(NODE_BINARY) === NODE_VERSION) return NODE_BINARY;
  say(`Node ${process.versions.node} is too old to run TypeScript: bringing Node ${NODE_VERSION} into the project …`);
  npm(`npm install node@${NODE_VERSION}`, ['install', '--no-save', '--no-package-lock', `node@${NODE_VERSION}`]);
  const found = versionOf(NODE_BINARY);
  if (found !== NODE_VERSION) {
    throw new SetupError(
      `npm installed node@${NODE_VERSION}, but node_modules/.bin/node ${found ? `is ${found}` : 'does not run'} (does npm ignore scripts here?): install Node 22.18 or newer yourself`,
    );
  }
  return NODE_BINARY;
}

function versionOf(binary) {
  if (!existsSync(binary)) return undefined;
  const done = spawnSync(binary, ['-v'], { encoding: 'utf8' });
  return done.status === 0 ? done.stdout.trim().slice(1) : undefined;
}

/** True where node_modules already holds every package of the lock at its version, however it came there. */
function holdsPackagesOf(lock) {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, wanted]) =>
      path === '' || wanted.optional || wanted.devOptional || installed[path]?.version === wanted.version,
  );
}

function npm(what, args) {
  const script = process.env.npm_execpath;
  const options = [...args, '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false'];
  if (script !== undefined && /\.c?js$/.test(script)) {
    quietly(what, process.execPath, [script, ...options]);
  } else {
    quietly(what, 'npm', options, { shell: process.platform === 'win32' });
  }
}

function reasonIn(output, done) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1];
  if (code !== undefined) {
    return /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)$/.test(code)
      ? `${code}: the package registry can't be reached; try again with a network`
      : code;
  }
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
  return telling?.trim().slice(0, 200) ?? `exit code ${done.status ?? done.signal}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  try {
    setUp();
  } catch (error) {
    giveUp(error);
  }
}
