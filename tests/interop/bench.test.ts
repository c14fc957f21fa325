import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

describe('npm run bench', () => {
  it('measures both sides on the same rows', async () => {
    const script = join(ROOT, 'bench', 'pipeline.ts');
    const args = [script, '--rows', '2000', '--repeat', '1', '--trees', '5'];
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 110_000 });
    const figures = new Map(
      stdout.split('\n').map((line) => [line.slice(0, 14).trim(), line.slice(14).trim().split(/\s+/).map(Number)]),
    );
    for (const name of ['bronze s', 'silver s', 'aggregates s', 'train s', 'total s', 'peak MB', 'R2']) {
      expect(figures.get(name)).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    }
    const [ours, python] = figures.get('training rows') ?? [];
    expect(ours).toBeGreaterThan(1000);
    expect(python).toBe(ours);
    expect(figures.get('R2')?.[0]).toBeGreaterThan(0.5);
  }, 120_000);
});
