import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

/** What a bench prints. */
async function bench(name: string, ...args: readonly string[]): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const options = { env, timeout: 110_000 };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'bench', `${name}.ts`), ...args], options);
  return stdout;
}

/** The numbers of each line, by what stands in front of them in so many characters. */
function figuresOf(text: string, label: number): Map<string, number[]> {
  const numbers = (line: string): number[] => (line.match(/-?\d[\d.]*/g) ?? []).map(Number);
  return new Map(text.split('\n').map((line) => [line.slice(0, label).trim(), numbers(line.slice(label))]));
}

describe('npm run bench', () => {
  it('measures both sides on the same rows', async () => {
    const figures = figuresOf(await bench('pipeline', '--rows', '2000', '--repeat', '1', '--trees', '5'), 14);
    for (const name of ['bronze s', 'silver s', 'aggregates s', 'train s', 'total s', 'peak MB', 'R2']) {
      expect(figures.get(name)).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    }
    const [ours, python] = figures.get('training rows') ?? [];
    expect(ours).toBeGreaterThan(1000);
    expect(python).toBe(ours);
    expect(figures.get('R2')?.[0]).toBeGreaterThan(0.5);
  }, 120_000);

  it('measures both sides with their logging to an MLflow server', async () => {
    const args = ['--rows', '2000', '--repeat', '1', '--trees', '5', '--mlflow'];
    const figures = figuresOf(await bench('pipeline', ...args), 14);
    expect(figures.get('total s')).toEqual([expect.any(Number), expect.any(Number), expect.any(Number)]);
    expect(figures.get('R2')?.[1]).toBeGreaterThan(0.5);
  }, 120_000);
});

describe('the benches of models', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-bench-test-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['forest', 'sklearn,onehot', ['scikit-learn, codes', 'scikit-learn, one-hot'], 2],
    ['boosting', 'hist,hist-categorical', ['HistGradientB., codes', 'HistGradientB., categ.'], 1],
  ])(
    'measure %s beside its peers on the same rows, with the spread of the seeds',
    async (name, peers, labels, tables) => {
      const sizes = ['--rows', '2000', '--seeds', '2', '--trees', '5', '--predict', '1000'];
      const text = await bench(name, ...sizes, '--peers', peers, '--data', folder);
      const figures = figuresOf(text, 24);
      for (const label of ['Lakelet', ...labels]) {
        const numbers = figures.get(label) ?? [];
        expect(numbers).toHaveLength(15);
        const [r2, spread] = numbers.slice(7, 9);
        expect(r2).toBeGreaterThan(0.1);
        expect(r2).toBeLessThan(1);
        expect(spread).toBeLessThan(0.2);
      }
      expect(text.match(/against .*: R2 .*noise.*MAE .*noise/g)).toHaveLength(labels.length * tables);
    },
    120_000,
  );

  it('refuse a peer that they do not know', async () => {
    await expect(bench('forest', '--peers', 'nothing')).rejects.toThrow('"nothing" is no peer; name some of');
  });
});
