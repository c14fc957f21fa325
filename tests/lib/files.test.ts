import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { folderAbove, shippedFile } from '../../lib/files.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SHIPPED = ['statemachine/lakehouse.asl.json', 'datasets/purchases/silver.sql'];
const BANNER =
  "import { createRequire as lakeletRequire } from 'node:module'; const require = lakeletRequire(import.meta.url);";
const temporary: string[] = [];

function temporaryFolder(under: string): string {
  mkdirSync(under, { recursive: true });
  const folder = mkdtempSync(join(under, 'lakelet-files-'));
  temporary.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** The shipped files as a module finds them from a working folder that has nothing to do with them. */
function foundFrom(moduleFile: string): string[] {
  const script = `const { shippedFile } = await import(${JSON.stringify(`file://${moduleFile}`)});
    console.log(JSON.stringify(${JSON.stringify(SHIPPED)}.map(shippedFile)));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: tmpdir(), encoding: 'utf8' }),
  );
}

/** A bundle as serverless-esbuild makes it, of a module that passes shippedFile on. */
async function bundleInto(folder: string): Promise<string> {
  const outfile = join(folder, 'functions', 'bronze.js');
  await build({
    stdin: { contents: "export { shippedFile } from './lib/files.ts';", resolveDir: root, loader: 'ts' },
    ...{
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'esm',
      banner: { js: BANNER },
      outfile,
      logLevel: 'silent',
    },
  });
  return outfile;
}

const inProject = SHIPPED.map((path) => join(root, path));

describe('shippedFile', () => {
  it('finds what is shipped in jest', () => {
    expect(SHIPPED.map(shippedFile)).toEqual(inProject);
  });

  it('finds what is shipped from source', () => {
    expect(foundFrom(join(root, 'lib', 'files.ts'))).toEqual(inProject);
  });

  it('finds what is shipped from the built package, beside its code', () => {
    const dist = temporaryFolder(tmpdir());
    writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
    execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs'), join(dist, 'dist')]);
    const found = foundFrom(join(dist, 'dist', 'lib', 'files.js'));
    expect(found).toEqual(SHIPPED.map((path) => join(dist, 'dist', path)));
    for (const [at, file] of found.entries()) {
      expect(readFileSync(file, 'utf8')).toBe(readFileSync(inProject[at] ?? '', 'utf8'));
    }
  });

  it("finds what is shipped from invoke local's bundle, which lies in the project", async () => {
    expect(foundFrom(await bundleInto(temporaryFolder(join(root, '.esbuild'))))).toEqual(inProject);
  });

  it('finds what is shipped from a deployed bundle, beside it', async () => {
    const task = temporaryFolder(tmpdir());
    writeFileSync(join(task, 'package.json'), '{"type":"module"}');
    for (const path of SHIPPED) cpSync(join(root, path), join(task, path));
    expect(foundFrom(await bundleInto(task))).toEqual(SHIPPED.map((path) => join(task, path)));
  });

  it('says what to do about a file that was not shipped', () => {
    expect(() => shippedFile('datasets/none.sql')).toThrow(
      expect.objectContaining({ code: 'FILE_MISSING', message: expect.stringContaining('datasets/none.sql') }),
    );
  });
});

describe('folderAbove', () => {
  it('gives the nearest folder that holds the marker, and does not look past the folder to stop at', () => {
    const top = temporaryFolder(tmpdir());
    const deep = join(top, 'a', 'node_modules', 'b');
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(top, 'marker'), '');
    expect(folderAbove('marker', deep)).toBe(top);
    expect(folderAbove('marker', deep, 'node_modules')).toBeUndefined();
    writeFileSync(join(deep, 'marker'), '');
    expect(folderAbove('marker', deep, 'node_modules')).toBe(deep);
    expect(folderAbove('nowhere-to-be-found', deep)).toBeUndefined();
  });
});
