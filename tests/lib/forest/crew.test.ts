import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { startCrew } from '../../../lib/forest/crew.ts';
import { trainForest } from '../../../lib/forest/index.ts';
import { resolveOptions } from '../../../lib/forest/options.ts';
import { layOut } from '../../../lib/forest/problem.ts';
import { layOutWorkspace } from '../../../lib/forest/workspace.ts';
import { exampleData } from './example.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');
const entry = join(import.meta.dirname, 'crew', 'entry.ts');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-crew-'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The lines that an entry prints in a process of its own, which must end by itself. */
async function linesOf(file: string): Promise<string[]> {
  const env = { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };
  const { stdout, stderr } = await run(process.execPath, [file], { env, timeout: 25_000 });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

async function compiled(): Promise<string> {
  const config = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      outDir: folder,
      rootDir: root,
      declaration: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [entry],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return join(folder, 'tests', 'lib', 'forest', 'crew', 'entry.js');
}

async function bundled(): Promise<string> {
  const outfile = join(folder, 'bundle.js');
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', target: 'node22', outfile });
  return outfile;
}

describe('the worker threads of a forest', () => {
  it('start from source, from the compiled package and from a bundle, run nothing else, and end', async () => {
    const told = [
      'entry runs',
      expect.stringMatching(/^[0-9a-f]{64}$/),
      'ABORTED',
      'ABORTED',
      'FOREST_PROGRESS_FAILED',
    ];
    const fromSource = await linesOf(entry);
    expect(fromSource).toEqual(told);
    expect(await linesOf(await compiled())).toEqual(fromSource);
    expect(await linesOf(await bundled())).toEqual(fromSource);
  }, 90_000);

  it('are refused by name in a bundle of CommonJS, which does not know its own address', async () => {
    const outfile = join(folder, 'bundle.cjs');
    const stdin = {
      contents:
        "import { trainForest } from './lib/forest/index.ts';\n" +
        "trainForest({ columns: [{ name: 'x', kind: 'numeric', values: Float64Array.of(1) }], target: Float64Array.of(1) })\n" +
        "  .catch((error) => process.stdout.write(error.code + ': ' + error.message));\n",
      resolveDir: root,
    };
    await build({
      stdin,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
      logLevel: 'error',
      logOverride: { 'empty-import-meta': 'silent' },
    });
    const [line] = await linesOf(outfile);
    expect(line).toMatch(/^FOREST_WORKER_NOT_STARTED: .*build ES modules/);
  });

  it('are ended at once when the training is cancelled', async () => {
    const cancel = new AbortController();
    const onProgress = (): void => cancel.abort(new Error('enough'));
    const started = performance.now();
    const training = trainForest(exampleData(20_000), { nEstimators: 100_000, signal: cancel.signal, onProgress });
    await expect(training).rejects.toMatchObject({
      code: 'ABORTED',
      cause: expect.objectContaining({ message: 'enough' }),
    });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('tell what went wrong in them', async () => {
    const options = resolveOptions({ nJobs: 2, nEstimators: 3 });
    const { problem } = layOut(exampleData(50), 50, 0);
    const crew = startCrew(2, undefined);
    const workspace = layOutWorkspace(50, [1, 1, 1, 1, 1], 2, false);
    const grown = crew.grow({ ...problem, rows: -1 }, options, workspace, () => undefined);
    await expect(grown).rejects.toMatchObject({
      code: 'FOREST_WORKER_FAILED',
      message: expect.stringContaining('length'),
    });
    await crew.dismiss();
    await crew.dismiss();
  });

  it('may be dismissed before they have anything to do', async () => {
    await startCrew(3, undefined).dismiss();
  });
});
