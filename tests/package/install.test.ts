import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
/** Megabytes that an installation may take; the README says that it takes about 100. */
const SIZE_LIMIT = 110;
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
    expect(files.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json']);
    expect(megabytes(join(folder, 'node_modules'))).toBeLessThan(SIZE_LIMIT);
  });

  it('does the main job by npx lakelet run, on a lake in that folder', () => {
    const summary = JSON.parse(
      run('npx', ['--no-install', 'lakelet', 'run', '--rows', '2000', '--trees', '5', '--format', 'json']),
    );
    expect(summary).toMatchObject({
      runId: expect.any(String),
      bronze: { delivered: { rows: 2000 } },
      gold: { model: { trees: 5 }, mlflow: { champion: true } },
    });
    expect(
      run('npx', ['--no-install', 'lakelet', 'query', 'SELECT count(*) AS n FROM bronze.purchases', '--format', 'csv']),
    ).toBe('n\n2000\n');
    expect(readdirSync(join(folder, '.lakelet', 'mlflow', 'runs'))).toEqual([`${summary.runId}.json`]);
    expect(readdirSync(join(folder, '.lakelet', 'lake')).sort()).toEqual(
      expect.arrayContaining(['bronze', 'gold', 'ops', 'silver']),
    );
  });

  it('compiles and runs in a strict TypeScript project, the declarations checked too and no @types/node needed', () => {
    writeFileSync(join(folder, 'use.ts'), PROGRAM);
    const strict = [
      '--strict',
      '--noUncheckedIndexedAccess',
      '--exactOptionalPropertyTypes',
      '--skipLibCheck',
      'false',
    ];
    const target = ['--target', 'es2023', '--module', 'nodenext', '--outDir', 'built'];
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(run(process.execPath, [compiler, ...strict, ...target, 'use.ts'])).toBe('');
    // It ends by itself: nothing that it did not close is left open.
    expect(JSON.parse(run(process.execPath, [join('built', 'use.js')], { timeout: 60_000 }))).toEqual({
      rows: [
        { id: '2', name: null, day: '2026-01-02' },
        { id: '9007199254740993', name: 'a', day: '2026-01-01' },
      ],
      wrong: 'number',
      versions: [0, 1, 2],
      old: 2,
      code: 'TABLE_NOT_FOUND',
      nodes: true,
      logged: { champion: true, version: '1' },
    });
  }, 120_000);
});

/** What a user may write with the three rooms; its last line is its result. */
const PROGRAM = `import { DeltaTable, LakeletError, openStore, type Row, type StructType } from 'lakelet/delta';
import { evaluate, fromOnnx, toOnnx, trainForest } from 'lakelet/forest';
import { logTraining, recordKeys, type TrainingRecord } from 'lakelet/mlflow';

declare const console: { log(text: string): void };

const field = (name: string, type: string) => ({ name, type, nullable: true, metadata: {} });
const schema: StructType = { type: 'struct', fields: [field('id', 'long'), field('name', 'string'), field('day', 'date')] };
const table = await DeltaTable.create('./table', { schema, partitionBy: ['day'] });
await table.append({
  rows: [
    { id: 9007199254740993n, name: 'a', day: '2026-01-01' },
    { id: 2n, name: null, day: '2026-01-02' },
  ],
});
await table.append({ sql: "SELECT 1 AS id, 'b' AS name, DATE '2026-01-03' AS day" });

const latest: DeltaTable = await DeltaTable.open('./table');
const rows: Row[] = [];
for await (const batch of latest.scan({ where: 'id > 1', signal: new AbortController().signal })) rows.push(...batch);
rows.sort((a, b) => (Number(a.id) < Number(b.id) ? -1 : 1));
const versions = (await latest.history()).map(({ version }) => version).sort();
let old = 0;
for await (const batch of (await DeltaTable.open('./table', { version: 1 })).scan({ columns: ['id'] })) old += batch.length;
const code = await DeltaTable.open('./none').catch((error: unknown) => (error instanceof LakeletError ? error.code : ''));
// @ts-expect-error a table's version is a number
const wrong: string = latest.version;

const ages = Float64Array.from({ length: 400 }, (_, i) => i % 50);
const columns = [{ name: 'age', kind: 'numeric' as const, values: ages }];
const forest = await trainForest({ columns, target: ages }, { nEstimators: 5, maxDepth: 6, randomState: 1 });
const { r2, mae, rmse } = evaluate(ages, forest.predict(columns));
const onnx = toOnnx(forest);

const training: TrainingRecord = {
  runId: 'mine',
  startedAt: 0,
  endedAt: 1,
  params: { trees: 5 },
  metrics: { r2, mae, rmse },
  dataset: { name: 'table', uri: latest.uri, version: latest.version, columns: [], profile: { num_rows: 400 } },
  model: { name: 'age', onnx, features: [{ name: 'age', kind: 'numeric' }], inputExample: [[30]] },
  heldOut: { id: 'all', rows: 400 },
};
const records = openStore('./records');
const logged = await logTraining(training, { experimentName: 'mine', records, evaluateChampion: async () => undefined });
if ((await recordKeys(records)).length !== 1) throw new Error('the record is not kept');

console.log(
  JSON.stringify(
    {
      rows,
      wrong: typeof wrong,
      versions,
      old,
      code,
      nodes: fromOnnx(onnx).nodes === forest.nodes && r2 > 0.9,
      logged: { champion: logged.champion, version: logged.modelVersion },
    },
    (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  ),
);
`;
