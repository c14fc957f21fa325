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
