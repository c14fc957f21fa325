import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { isAlive, withLock } from './lock.ts';
import { pythonVenv } from './python.ts';
import { portToUse, type RunningServer, type StartOptions, startEmulator } from './server.ts';
import { projectFolder, serviceSettings } from './settings.ts';

/** LocalStack's version in localstack/requirements.txt, and of its image in docker-compose.yml. */
export const LOCALSTACK_VERSION = '4.7.0';

const run = promisify(execFile);

/** Writes LocalStack's index of AWS's APIs into the folder that is its argument, whole or not at all. */
const BUILD_INDEX = `
import os, sys
from localstack.aws import spec
target = os.path.join(sys.argv[1], spec._get_catalog_filename())
spec.build_service_index_cache(target + ".new")
os.replace(target + ".new", target)
`;

/** How to start LocalStack. */
export interface LocalStackOptions extends StartOptions {
  /** The AWS services to offer; those of docker-compose.yml where absent. */
  readonly services?: readonly string[];
}

/**
 * Makes LocalStack's Python environment under `.emulators/` in the project, once.
 *
 * @returns its interpreter
 * @throws LakeletError `PYTHON_MISSING`, `PYTHON_INSTALL_FAILED`, `CANCELLED`, `NO_CHECKOUT`
 */
export async function installLocalStack(options: Pick<StartOptions, 'say' | 'signal'> = {}): Promise<string> {
  const python = await pythonVenv({
    folder: installation(),
    requirements: join(projectFolder(), 'localstack', 'requirements.txt'),
    what: `LocalStack ${LOCALSTACK_VERSION}`,
    // Measured: its pinned packages work on this one alone.
    python: { from: [3, 11], below: [3, 12] },
    ...(options.say !== undefined && { say: options.say }),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  await buildIndex(python);
  return python;
}

function installation(): string {
  return join(projectFolder(), '.emulators', 'localstack');
}

/** What LocalStack computes at its first request and keeps: three seconds that a new home need not take again. */
function cache(): string {
  return join(installation(), 'cache');
}

async function buildIndex(python: string): Promise<void> {
  const isBuilt = async () => (await readdir(cache())).some((name) => name.endsWith('.dill'));
  await mkdir(cache(), { recursive: true });
  if (await isBuilt()) return;
  await withLock(`${cache()}.lock`, async () => {
    if (await isBuilt()) return;
    try {
      await run(python, ['-c', BUILD_INDEX, cache()]);
    } catch (cause) {
      const line = messageOf(cause).trim().split('\n').at(-1) ?? '';
      throw new LakeletError(
        'PYTHON_INSTALL_FAILED',
        `LocalStack in ${printable(installation(), 200)} does not work (${printable(line, 300)}): delete that folder and try again.`,
        { cause },
      );
    }
  });
}

/**
 * Starts the real LocalStack without Docker, on loopback, and waits until it is healthy. Lambdas run as processes of
 * the Node that runs this, see `localstack/executor`. Nothing is kept: its buckets are gone when it stops.
 *
 * @returns with the settings by which the AWS SDKs reach it
 * @throws LakeletError `LOCALSTACK_START_FAILED`, `PLATFORM_UNSUPPORTED`, and those of {@link installLocalStack}
 */
export async function startLocalStack(options: LocalStackOptions): Promise<RunningServer> {
  if (process.platform === 'win32') {
    throw new LakeletError(
      'PLATFORM_UNSUPPORTED',
      'LocalStack runs on Windows in Docker alone: use docker-compose up, or WSL.',
    );
  }
  const python = await installLocalStack(options);
  const home = resolve(options.home);
  const root = await freshRoot(home);
  const removeRoot = () => rm(root, { recursive: true, force: true });
  try {
    const server = await startIn(root, join(home, 'localstack.log'), python, options);
    return {
      ...server,
      async stop() {
        await server.stop();
        await removeRoot();
      },
    };
  } catch (error) {
    await removeRoot();
    throw error;
  }
}

async function startIn(root: string, log: string, python: string, options: LocalStackOptions): Promise<RunningServer> {
  const port = await portToUse(options.port);
  const address = `http://127.0.0.1:${port}`;
  return startEmulator(
    {
      name: 'LocalStack',
      failure: 'LOCALSTACK_START_FAILED',
      command: python,
      args: ['-m', 'localstack.runtime.main'],
      env: await environment(root, port, options.services),
      cwd: temporary(root),
      log,
      port,
      health: `${address}/_localstack/health`,
      ...(options.signal !== undefined && { signal: options.signal }),
    },
    {
      AWS_ENDPOINT_URL: address,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'lakelet',
      AWS_SECRET_ACCESS_KEY: 'lakelet-secret',
    },
  );
}

/**
 * A folder of this start's own, so that a second one with the same home takes nothing from the first; those of starts
 * that were killed go.
 */
async function freshRoot(home: string): Promise<string> {
  await mkdir(home, { recursive: true });
  for (const name of await readdir(home)) {
    const starter = /^run-(\d+)-/.exec(name)?.[1];
    const isLeft = starter !== undefined && !isAlive(Number(starter));
    if (isLeft) await rm(join(home, name), { recursive: true, force: true });
  }
  const root = await mkdtemp(join(home, `run-${process.pid}-`));
  const state = join(root, 'var', 'lib', 'localstack');
  await mkdir(state, { recursive: true });
  await symlink(cache(), join(state, 'cache'), 'dir');
  return root;
}

function temporary(root: string): string {
  return join(root, 'tmp');
}

/** The server's whole environment: nothing of the user's (profiles, proxies, credentials) reaches it. */
async function environment(
  root: string,
  port: number,
  services: readonly string[] | undefined,
): Promise<NodeJS.ProcessEnv> {
  const compose = await serviceSettings('localstack', { LOCALSTACK_LISTEN: `127.0.0.1:${port}` });
  return {
    PATH: process.env.PATH ?? '',
    HOME: root,
    TEMP: temporary(root),
    PYTHONUNBUFFERED: '1',
    ...compose.environment,
    ...(services !== undefined && { SERVICES: services.join(',') }),
    // In a container (of CI, of an editor) it would take itself for its image, and the machine's folders for its own.
    OVERRIDE_IN_DOCKER: '0',
    FILESYSTEM_ROOT: root,
    // It would listen on port 53, and ask the machine's name server.
    DNS_ADDRESS: '0',
    LAMBDA_RUNTIME_EXECUTOR: 'lakelet-node',
    // An idle process keeps its memory, and a new one is there in a moment: not ten minutes, but one.
    LAMBDA_KEEPALIVE_MS: '60000',
    PYTHONPATH: join(projectFolder(), 'localstack', 'executor'),
    LAKELET_NODE: process.execPath,
  };
}
