import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

describe('node bench/layout.ts', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-layout-test-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('measures each layout of the rows that a run left', async () => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const lake = join(folder, 'lake');
    const options = { env, cwd: folder, timeout: 60_000 };
    await run(
      process.execPath,
      [join(ROOT, 'bin', 'lakelet.ts'), 'run', '--lake', lake, '--rows', '2000', '--trees', '2'],
      options,
    );
    const script = join(ROOT, 'bench', 'layout.ts');
    const { stdout } = await run(process.execPath, [script, '--lake', lake, '--repeat', '1'], options);
    const figures = new Map(
      stdout.split('\n').map((line) => [line.slice(0, 22).trim(), line.slice(22).trim().split(/\s+/).map(Number)]),
    );
    const files = (name: string): number | undefined => figures.get(name)?.[1];
    expect(files('as written')).toBe(1);
    expect(files('a folder a year')).toBe(2);
    expect(files('a folder a month')).toBe(24);
    const bytes = (name: string): number => figures.get(name)?.[2] ?? Number.NaN;
    expect(bytes('uncompressed')).toBeGreaterThan(bytes('as written'));
  }, 120_000);
});
