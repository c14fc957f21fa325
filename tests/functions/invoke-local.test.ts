import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-invoke-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** `serverless invoke local`, with a time limit: a standard input that stays open would make it wait for ever. */
function invoke(name: string, event: object): { status: number | null; output: string; answer: () => unknown } {
  const serverless = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const done = spawnSync(
    process.execPath,
    [serverless, 'invoke', 'local', '-f', name, '--data', JSON.stringify(event)],
    {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', LAKE_URI: join(folder, 'lake'), LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  return {
    status: done.status,
    output: `${done.stdout}${done.stderr}`,
    answer: () => JSON.parse(done.stdout.slice(done.stdout.indexOf('{'))),
  };
}

describe('serverless invoke local', () => {
  it('runs bronze, silver and gold one after the other on one lake', () => {
    const event = { runId: 'invoked', rows: 2000, trees: 5 };
    for (const name of ['bronze', 'silver', 'gold']) {
      const { status, output, answer } = invoke(name, event);
      expect(output).not.toMatch(/error/i);
      expect(status).toBe(0);
      expect(answer()).toEqual(expect.objectContaining({ runId: 'invoked' }));
    }
    expect(readdirSync(join(folder, 'lake')).sort()).toEqual(['bronze', 'gold', 'ops', 'silver']);
  }, 180_000);

  it('refuses an unknown field by name and fails', () => {
    const { status, output } = invoke('bronze', { rowz: 1 });
    expect(output).toContain('rowz');
    expect(status).not.toBe(0);
  }, 60_000);
});
