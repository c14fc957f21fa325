import { jest } from '@jest/globals';
import { type ForestOptions, type TrainingData, trainForest } from '../../../lib/forest/index.ts';
import { resolveOptions } from '../../../lib/forest/options.ts';
import { checkScoring } from '../../../lib/forest/out-of-bag.ts';
import { layOutWorkspace } from '../../../lib/forest/workspace.ts';

describe('the memory of a training', () => {
  it('is refused where WebAssembly cannot address it, with what to do', () => {
    const layOut = (): unknown => layOutWorkspace(60_000_000, new Array<number>(9).fill(255), 2, false);
    expect(layOut).toThrow(
      expect.objectContaining({
        code: 'FOREST_TOO_LARGE',
        message: expect.stringMatching(/60000000 rows, 9 features and 2 workers takes \d+ MiB.*4096.*nJobs/),
      }),
    );
  });

  it('has room for all that it names, apart from each other', () => {
    const { memory, bins, binCounts, threads } = layOutWorkspace(100, [3, 5], 2, true);
    const starts = [bins, binCounts, ...threads.flatMap((space) => Object.values(space))];
    expect(new Set(starts).size).toBe(2 + 2 * 9);
    expect(Math.max(...starts)).toBeLessThan(memory.buffer.byteLength);
    expect([...new Uint32Array(memory.buffer, binCounts, 2)]).toEqual([3, 5]);
  });
});

describe('the memory of out-of-bag scores', () => {
  const data = (rows: number): TrainingData => ({
    columns: [{ name: 'x', kind: 'numeric', values: new Float64Array(rows) }],
    target: new Float64Array(rows),
  });

  it('is refused before anything starts where the trees could outgrow it, with what to do', async () => {
    const onProgress = jest.fn();
    await expect(trainForest(data(100_000), { oobScore: true, nEstimators: 10_000, onProgress })).rejects.toMatchObject(
      {
        code: 'FOREST_TOO_LARGE',
        message: expect.stringMatching(/score 10000 trees .* takes \d+ MiB.*4096.*minSamplesLeaf/),
      },
    );
    expect(onProgress).not.toHaveBeenCalled();
  });

  it('counts the most leaves that depth, leaf sizes and draws allow', () => {
    const check = (options: ForestOptions) => (): void =>
      checkScoring(100_000, 9, resolveOptions({ oobScore: true, nEstimators: 10_000, ...options }));
    expect(check({ maxDepth: 10 })).not.toThrow();
    expect(check({ minSamplesLeaf: 50 })).not.toThrow();
    expect(check({ maxSamples: 0.01 })).not.toThrow();
    expect(check({ maxDepth: 20 })).toThrow('larger minSamplesLeaf');
  });
});
