import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ComposeProject, composeConfig } from '../../localstack/compose/config.ts';
import { portToUse } from '../../localstack/server.ts';
import { Checkout, type Ended } from '../checkout.ts';
import { commandsOf, DOCUMENTS, root } from '../docs/documents.ts';
import { OFFLINE, type Offline, startOffline } from '../docs/offline.ts';

const documents = DOCUMENTS.filter((document) => commandsOf(document, 'sh emulators').length > 0);
const COMPOSE = /^(?:[A-Z]\w*=\S* )*docker[ -]compose /;
const EXPORTS = /^export /;
/** It runs what was deployed, which a document before may have removed. */
const FUNCTIONS = /--runner (stepfunctions|lambda)\b/;
/** It stays until Ctrl-C: the very process that the test has started. */
const EMULATORS = /^npm run emulators\b/;

let checkout: Checkout;
let emulators: ChildProcess | undefined;
let settings: Record<string, string> = {};
let deployed = false;

beforeAll(async () => {
  checkout = new Checkout({ emulators: true });
  emulators = await start('npm run --silent emulators -- --s3 minio');
  settings = await printed(emulators);
  // What a query finds, whichever document it stands in.
  for (const command of ['npm run deploy:local', 'npm run -s lakelet -- run --runner stepfunctions --rows 500']) {
    expect(await run(command)).toMatchObject({ code: 0 });
  }
}, 900_000);

afterAll(async () => {
  if (emulators !== undefined) await interrupt(emulators);
  checkout.remove();
}, 60_000);

/** Ctrl-C, which goes to the whole group of a terminal. */
async function interrupt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  process.kill(-child.pid, 'SIGINT');
  await ended;
}

async function start(command: string): Promise<ChildProcess> {
  const ports = await Promise.all([portToUse(), portToUse(), portToUse()]);
  const [gateway, mlflow, minio] = ports.map(String);
  return spawn('sh', ['-c', command], {
    cwd: checkout.folder,
    env: {
      ...process.env,
      PATH: path(),
      GATEWAY_LISTEN: `127.0.0.1:${gateway}`,
      MLFLOW_PORT: mlflow,
      MINIO_PORT: minio,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
}

/** The settings that `npm run emulators` prints until it is ready. */
async function printed(child: ChildProcess): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  if (child.stdout === null || child.stderr === null) throw new Error('it has no output');
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') return found;
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`npm run emulators printed ${line}`);
    found[name] = value;
  }
  throw new Error(`npm run emulators ended before it was ready: ${err}`);
}

function path(): string {
  return [join(process.execPath, '..'), process.env.PATH].join(delimiter);
}

async function run(command: string): Promise<Ended> {
  const ended = await checkout.shell(command, { ...settings, PATH: path() }, 280_000);
  if (/^npm run (deploy|remove):local/.test(command)) deployed = command.includes('deploy');
  return ended;
}

function withoutPorts(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.replace(/:\d+$/, ':PORT')]));
}

/** The same on few rows. */
function inShort(command: string): string {
  if (/ run .*--runner stepfunctions/.test(command) && !command.includes('--rows')) return `${command} --rows 500`;
  return command.replace(/--rows \d+/, '--rows 500');
}

it('there are documents with such commands', () => {
  expect(documents).toContain(join('docs', 'emulators.md'));
});

describe.each(documents)('%s', (document) => {
  const commands = [...new Set(commandsOf(document, 'sh emulators'))];
  const onServers = commands.filter(
    (command) => ![COMPOSE, EMULATORS, EXPORTS, OFFLINE].some((form) => form.test(command)),
  );
  const serving = commands.find((command) => OFFLINE.test(command));
  let offline: Offline | undefined;

  if (serving !== undefined) {
    beforeAll(async () => {
      offline = await startOffline(checkout, serving, settings);
    }, 120_000);

    afterAll(async () => {
      await offline?.stop();
    }, 30_000);

    it(`serves on the emulators: ${serving}`, () => {
      expect(offline).toBeDefined();
    });
  }

  for (const command of commands.filter((line) => EMULATORS.test(line))) {
    it(`starts the emulators by options that there are: ${command}`, async () => {
      const ended = await run(command.includes(' -- ') ? `${command} --help` : `${command} -- --help`);
      expect(ended).toMatchObject({ code: 0, out: expect.stringContaining('until') });
    }, 60_000);
  }

  for (const command of commands.filter((line) => COMPOSE.test(line))) {
    it(`names what docker-compose.yml has: ${command}`, async () => {
      await expectOfCompose(command);
    }, 60_000);
  }

  for (const command of commands.filter((line) => EXPORTS.test(line))) {
    it(`sets what the emulators ask to be set, but for the ports: ${command}`, () => {
      const given = Object.fromEntries(
        command
          .split(' ')
          .slice(1)
          .map((word) => word.split('=')),
      );
      const asked = Object.entries(settings).filter(([name]) => name in given);
      expect(withoutPorts(given)).toEqual(withoutPorts(Object.fromEntries(asked)));
    });
  }

  for (const command of onServers) {
    const short = inShort(command);
    it(`works on the emulators: ${short}`, async () => {
      if (!deployed && FUNCTIONS.test(command)) await run('npm run deploy:local');
      const ended = await run(offline?.here(short) ?? short);
      expect(ended).toMatchObject({ code: 0, err: expect.not.stringMatching(/^error /m) });
      expect(ended.out + ended.err).not.toBe('');
    }, 580_000);
  }
});

describe("docs/emulators.md's tables", () => {
  it('name the variables of docker-compose.yml that are meant for its users, with their defaults', () => {
    const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
    const table = readFileSync(join(root, 'docs', 'emulators.md'), 'utf8').split('## Without Docker')[0] ?? '';
    const rows = [...table.matchAll(/^\| `(\w+)` .* (\S+) +\|$/gm)].map(([, name, value = '']) => [
      name,
      value.replaceAll('`', ''),
    ]);
    expect(rows.length).toBeGreaterThan(5);
    for (const [name, value] of rows) expect(compose).toContain(`\${${name}:-${value}}`);
  });
});

const VERBS: Readonly<Record<string, RegExp>> = {
  up: /^(--build|-d)$/,
  run: /^--rm$/,
  logs: /^$/,
  down: /^--volumes$/,
};

/** No Docker runs here: the file is one that Compose takes with these variables, and has the services that are named. */
async function expectOfCompose(command: string): Promise<void> {
  const words = command.split(' ');
  const variables = words.filter((word) => /^[A-Z]\w*=/.test(word)).map((word) => word.split('='));
  const file = join(checkout.folder, 'docker-compose.yml');
  const project: ComposeProject = await composeConfig(file, Object.fromEntries(variables));
  for (const [name, value] of variables) {
    expect(readFileSync(file, 'utf8')).toContain(`\${${name}:-`);
    expect(JSON.stringify(project.services)).toContain(value);
  }
  const [verb = '', ...rest] = words.slice(words.findIndex((word) => word.endsWith('compose')) + 1);
  expect(Object.keys(VERBS)).toContain(verb);
  for (const word of rest) {
    if (word.startsWith('-')) expect(word).toMatch(VERBS[verb] ?? /^$/);
    else expect(Object.keys(project.services)).toContain(word);
  }
}
