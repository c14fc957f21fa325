import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-imports-'));
  cpSync(join(root, '.dependency-cruiser.mjs'), join(folder, '.dependency-cruiser.mjs'));
  writeFileSync(join(folder, 'package.json'), '{"name":"house","type":"module","devDependencies":{"jest":"30.0.0"}}');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What the import check says of a house of these files. */
function check(files: Readonly<Record<string, string>>): { status: number | null; output: string } {
  for (const room of ['lib', 'datasets', 'functions', 'bin'])
    rmSync(join(folder, room), { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const rooms = [...new Set(Object.keys(files).map((name) => name.split('/')[0] ?? ''))];
  const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');
  const done = spawnSync(process.execPath, [cruiser, '--config', '.dependency-cruiser.mjs', ...rooms], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status: done.status, output: `${done.stdout}${done.stderr}` };
}

describe('the import check', () => {
  it('passes a house in which every room imports from below', () => {
    const { status, output } = check({
      'lib/errors.ts': 'export const e = 1;',
      'lib/storage/a.ts': "import { e } from '../errors.ts';\nexport const a: number = e;",
      'lib/delta/b.ts': "import { a } from '../storage/a.ts';\nexport const b = a;",
    });
    expect(output).toContain('no dependency violations');
    expect(status).toBe(0);
  });

  it.each([
    ['a value', "import { b } from '../delta/b.ts';\nexport const a = b;"],
    ['a type', "import type { B } from '../delta/b.ts';\nexport const a: B = 1;"],
    ['an export', "export { b } from '../delta/b.ts';"],
    ['a dynamic import', "export const a = () => import('../delta/b.ts');"],
  ])('fails on %s imported from a room above', (_, text) => {
    const { status, output } = check({
      'lib/storage/a.ts': text,
      'lib/delta/b.ts': 'export const b = 1;\nexport type B = number;',
    });
    expect(output).toContain('lib/storage imports only from below: lib/storage/a.ts');
    expect(status).not.toBe(0);
  });

  it('fails where siblings know each other, where lib reaches for a dataset, and on a cycle', () => {
    const { output } = check({
      'lib/forest/a.ts': "import { m } from '../mlflow/m.ts';\nexport const a = m;",
      'lib/mlflow/m.ts': "import { n } from './n.ts';\nexport const m = 1 + n;",
      'lib/mlflow/n.ts': "import { m } from './m.ts';\nexport const n = m;",
      'lib/cli/c.ts': "import { d } from '../../datasets/d/index.ts';\nexport const c = d;",
      'datasets/d/index.ts': 'export const d = 1;',
    });
    expect(output).toContain('lib/forest imports only from below');
    expect(output).toContain('no cycles');
    expect(output).toContain('lib/cli imports only from below: lib/cli/c.ts');
  });

  it('fails on a file of lib that is in no room, and on an import that leads nowhere', () => {
    const { output } = check({
      'lib/storage/a.ts':
        "import { h } from '../helpers/h.ts';\nimport { x } from './none.ts';\nexport const a = h + x;",
      'lib/helpers/h.ts': 'export const h = 1;',
    });
    expect(output).toContain('a file of lib belongs to a room');
    expect(output).toContain('imports resolve');
  });
});
