import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Checkout, type Ended } from '../checkout.ts';
import { type ServerDouble, startServerDouble } from '../lib/mlflow/server-double.ts';
import { blocks, commandsOf, DOCUMENTS, root, textOf } from './documents.ts';
import { OFFLINE, type Offline, startOffline } from './offline.ts';

const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Commands that install, test, build or measure; what they call must be there, and other tests and CI call it. */
const ELSEWHERE = /^(npm (test|install|pack)\b|npm run (test:unit|lint|typecheck|build|bench)\b|node bench\/)/;

/** What is run in place of a command: the same on few rows, and of a server that stays until Ctrl-C its help. */
function inShort(command: string): string {
  if (/mlflow( ui)?$/.test(command))
    return /^npm run mlflow$/.test(command) ? `${command} -- --help` : `${command} --help`;
  return command.replace(/--rows \d+/, '--rows 500').replace(/^npx lakelet/, 'lakelet');
}

let checkout: Checkout;
let server: ServerDouble;
let first: Ended;

beforeAll(async () => {
  checkout = new Checkout();
  server = await startServerDouble();
  // `lakelet`, as an installation has it on PATH.
  const command = join(checkout.folder, '.bin', 'lakelet');
  mkdirSync(join(command, '..'));
  writeFileSync(command, `#!/bin/sh\nexec node '${join(checkout.folder, 'bin', 'lakelet.ts')}' "$@"\n`);
  chmodSync(command, 0o755);
  first = await checkout.shell('npm start');
  await preparePrices();
}, 120_000);

afterAll(async () => {
  await server.close();
  checkout.remove();
});

/** The files and the table that docs/cli.md takes for given. */
async function preparePrices(): Promise<void> {
  writeFileSync(join(checkout.folder, 'prices.csv'), 'product,price,day\nTea,3.5,2024-01-01\nCoffee,4.25,2024-01-02\n');
  const bronze = join(checkout.lake, 'bronze', 'prices');
  for (const argv of [
    ['table', 'create', bronze, '--source', join(checkout.folder, 'prices.csv')],
    ['query', 'FROM bronze.prices', '--format', 'parquet', '--output', join(checkout.folder, 'prices.parquet')],
  ]) {
    expect(await checkout.lakelet(argv)).toMatchObject({ code: 0 });
  }
}

function run(command: string): Promise<Ended> {
  return checkout.shell(command, {
    PATH: path(),
    ...(command.includes('mlflow push') && { MLFLOW_TRACKING_URI: server.uri }),
  });
}

function path(): string {
  return [join(checkout.folder, '.bin'), join(process.execPath, '..'), process.env.PATH].join(delimiter);
}

describe.each(DOCUMENTS)('%s', (document) => {
  // Those that need emulators are run by tests/emulator/docs.test.ts.
  const commands = [...new Set(commandsOf(document, 'sh'))].filter((command) => !OFFLINE.test(command));
  const serving = commandsOf(document, 'sh').find((command) => OFFLINE.test(command));
  let offline: Offline | undefined;

  if (serving !== undefined) {
    beforeAll(async () => {
      offline = await startOffline(checkout, serving, { PATH: path() });
    }, 120_000);

    afterAll(async () => {
      await offline?.stop();
    }, 30_000);

    it(`has a command that serves: ${serving}`, () => {
      expect(offline).toBeDefined();
    });
  }

  it('has its commands in blocks of a shell, and links to what is there', () => {
    expect(textOf(document)).not.toMatch(/^( {4}|\t)(npm|npx|node|lakelet) /m);
    const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
    for (const link of links) expect([link, existsSync(join(root, document, '..', link))]).toEqual([link, true]);
  });

  for (const command of commands.filter((line) => ELSEWHERE.test(line))) {
    it(`calls what is there: ${command}`, () => {
      const [, script] = /^npm (?:run )?([\w:]+)/.exec(command) ?? [];
      const [, file] = /^node (\S+)/.exec(command) ?? [];
      if (file !== undefined) expect(existsSync(join(root, file))).toBe(true);
      else expect(['install', 'pack', ...Object.keys(scripts)]).toContain(script);
    });
  }

  for (const command of commands.filter((line) => !ELSEWHERE.test(line))) {
    const short = inShort(command);
    it(`has a command that works: ${short}`, async () => {
      const ended = await run(offline?.here(short) ?? short);
      expect(ended).toMatchObject({ code: 0, err: expect.not.stringMatching(/^error /m) });
      if (!short.includes('--output')) expect(ended.out).not.toBe('');
    }, 90_000);
  }
});

describe("the README's run", () => {
  it('is what a run prints, but for times, ids and folders', () => {
    const [result = ''] = blocks('README.md', 'text');
    const printed = first.out.replaceAll(checkout.folder, '/home/you/lakelet').split('\n').map(steady);
    const shown = result.split('\n').filter((line) => !['', '…', '$ npm start'].includes(line));
    expect(first.code).toBe(0);
    expect(shown.length).toBeGreaterThan(15);
    expect(printed).toEqual(expect.arrayContaining(shown.map(steady)));
  });
});

describe('what a run proposes to try next', () => {
  it('works as it stands', async () => {
    const proposed = first.out.slice(first.out.indexOf('Try next:')).split('\n').slice(1);
    const commands = proposed.map((line) => line.trim()).filter((line) => line !== '');
    expect(commands).toHaveLength(3);
    for (const command of commands)
      expect([command, await run(inShort(command))]).toMatchObject([command, { code: 0 }]);
  }, 60_000);
});

/** A line of a run's summary without what differs from run to run. */
function steady(line: string): string {
  return line
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID')
    .replace(/in [\d.]+ m?s$/, 'in TIME')
    .replace(/seconds [\d.]+/, 'seconds TIME');
}

describe("the README's TypeScript", () => {
  it('runs as it stands on the lake of a run', async () => {
    const [code = ''] = blocks('README.md', 'ts');
    const file = join(checkout.folder, 'example.ts');
    writeFileSync(file, code.replace("'lakelet/delta'", "'./lib/duckdb/delta.ts'"));
    const ended = await checkout.shell('node example.ts');
    expect(ended).toMatchObject({ code: 0, err: '' });
    expect(ended.out).toContain("purchase_id: 'P42-");
  });
});
