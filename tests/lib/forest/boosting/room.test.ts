import { Frontier } from '../../../../lib/forest/boosting/frontier.ts';
import type { BoostingFunctions } from '../../../../lib/forest/boosting/functions.ts';
import type { BoostingReport } from '../../../../lib/forest/boosting/job.ts';
import { layOutBoosting } from '../../../../lib/forest/boosting/layout.ts';
import { resolveBoosting } from '../../../../lib/forest/boosting/options.ts';
import { boost } from '../../../../lib/forest/boosting/rounds.ts';
import { instantiateKernel } from '../../../../lib/forest/kernel/kernel.ts';
import { layOut } from '../../../../lib/forest/problem.ts';
import { exampleData } from '../example.ts';

/** What one thread reports that has room for so many bytes of histograms. */
function boostWithin(room: number): BoostingReport[] {
  const { problem } = layOut(exampleData(3000), 3000, 0);
  const bins = problem.edges.map(({ length }) => length + 1);
  const { layout, memory } = layOutBoosting(3000, bins, 60, 1, false, room);
  const options = resolveBoosting({ nEstimators: 5, maxLeafNodes: 60 });
  const { columns, edges, target } = problem;
  const job = { memory, layout, options, columns, edges, target, start: 0, validation: undefined };
  const reports: BoostingReport[] = [];
  boost(
    { kind: 'boosting', ...job, weighting: { countBits: 0, unit: 1 } },
    instantiateKernel<BoostingFunctions>(memory),
    0,
    (report) => reports.push(report),
  );
  return reports;
}

describe('the memory of boosting', () => {
  it('makes no difference to the trees where it has no room to keep the histograms of all leaves', () => {
    const plenty = boostWithin(64 * 2 ** 20);
    expect(plenty).toHaveLength(6);
    expect(boostWithin(0)).toEqual(plenty);
    expect(boostWithin(70_000)).toEqual(plenty);
  });

  it('is refused where WebAssembly could not address it', () => {
    expect(() => layOutBoosting(2 ** 30, [255], 31, 2, false)).toThrow(
      expect.objectContaining({ code: 'FOREST_TOO_LARGE', message: expect.stringContaining('sample') }),
    );
  });
});

describe('the nodes that may be split', () => {
  it('come by gain, and of equal gains the older first', () => {
    const frontier = new Frontier<{ node: number; gain: number }>();
    const gains = [3, 9, 1, 9, 4, 4, 8, 2, 9, 0];
    gains.forEach((gain, node) => {
      frontier.add({ node, gain });
    });
    const taken: number[] = [];
    for (let next = frontier.take(); next !== undefined; next = frontier.take()) taken.push(next.node);
    expect(taken).toEqual([1, 3, 8, 6, 4, 5, 0, 7, 2, 9]);
  });
});
