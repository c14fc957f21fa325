import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
/** Megabytes that an installation may take; what it takes is told in the README. */
const SIZE_LIMIT = 150;
let folder = '';

/** Runs a program in the folder of the user, as if no npm had started this test, and gives its standard output. */
function run(program: string, args: readonly string[], options: { cwd?: string; timeout?: number } = {}): string {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(npm_(package|lifecycle|config_local_prefix|config_prefix|command)|INIT_CWD|NODE_OPTIONS|LOG_LEVEL)/.test(
          name,
        ),
    ),
  );
  return execFileSync(program, args, {
    cwd: options.cwd ?? folder,
    env,
    encoding: 'utf8',
    timeout: options.timeout ?? 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 32 << 20,
  });
}

function megabytes(path: string): number {
  const bytes = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return bytes / 2 ** 20;
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lakelet-package-')));
  writeFileSync(join(folder, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], { cwd: root }));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', join(folder, packed.filename)], {
    timeout: 300_000,
  });
}, 420_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the package, installed in an empty folder', () => {
  it(`takes less than ${SIZE_LIMIT} MB, and brings nothing that only development needs`, () => {
    const installed = readdirSync(join(folder, 'node_modules'));
    expect(installed).toEqual(expect.arrayContaining(['lakelet', '@duckdb']));
    for (const name of ['jest', 'typescript', 'serverless', 'esbuild', '@swc']) expect(installed).not.toContain(name);
    const files = readdirSync(join(folder, 'node_modules', 'lakelet'));
    expect(files.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'package.json']);
    expect(megabytes(join(folder, 'node_modules'))).toBeLessThan(SIZE_LIMIT);
  });

  it('does the main job by npx lakelet run, on a lake in that folder', () => {
    const summary = JSON.parse(run('npx', ['--no-install', 'lakelet', 'run', '--rows', '2000', '--format', 'json']));
    expect(summary).toMatchObject({ runId: expect.any(String) });
    expect(readdirSync(join(folder, '.lakelet', 'lake')).sort()).toEqual(
      expect.arrayContaining(['bronze', 'gold', 'ops', 'silver']),
    );
  });

  it('gives a strict TypeScript project its types, library declarations checked too', () => {
    writeFileSync(
      join(folder, 'typed.ts'),
      `import { DeltaTable } from 'lakelet/delta';
import { trainForest } from 'lakelet/forest';
import { logTraining } from 'lakelet/mlflow';

export async function read(uri: string): Promise<number> {
  const table = await DeltaTable.open(uri);
  const version: number = table.version;
  for await (const batch of table.scan({ columns: ['id'] })) console.log(batch.length);
  return version;
}
// @ts-expect-error a table's version is a number
export const wrong = async (table: DeltaTable): Promise<string> => table.version;
export const rooms = [trainForest, logTraining];
`,
    );
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const types = join(root, 'node_modules', '@types');
    const options = ['--strict', '--noEmit', '--target', 'es2023', '--module', 'nodenext', '--skipLibCheck', 'false'];
    expect(run(process.execPath, [compiler, ...options, '--typeRoots', types, '--types', 'node', 'typed.ts'])).toBe('');
  });

  it('creates, appends to and scans a Delta table, and the process ends by itself', () => {
    writeFileSync(
      join(folder, 'use.js'),
      `import { DeltaTable } from 'lakelet/delta';
const field = (name, type) => ({ name, type, nullable: true, metadata: {} });
const schema = { type: 'struct', fields: [field('id', 'long'), field('name', 'string')] };
const table = await DeltaTable.create('./table', { schema });
await table.append({ rows: [{ id: 9007199254740993n, name: 'a' }, { id: 2n, name: null }] });
const rows = [];
for await (const batch of (await DeltaTable.open('./table')).scan({ where: 'id > 1' })) rows.push(...batch);
rows.sort((a, b) => (a.id < b.id ? -1 : 1));
console.log(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
`,
    );
    const printed = run(process.execPath, ['use.js'], { timeout: 30_000 });
    expect(JSON.parse(printed)).toEqual([
      { id: '2', name: null },
      { id: '9007199254740993', name: 'a' },
    ]);
  });
});
