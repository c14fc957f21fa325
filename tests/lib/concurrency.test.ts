import { setImmediate as turn } from 'node:timers/promises';
import { Budget, mapAll, mapInOrder } from '../../lib/concurrency.ts';

describe('mapInOrder', () => {
  it('gives results in the order of the items, whichever is done first', async () => {
    const work = async (n: number): Promise<number> => {
      for (let i = n; i < 5; i++) await turn();
      return n * 10;
    };
    expect(await Array.fromAsync(mapInOrder([1, 2, 3, 4], 3, work))).toEqual([10, 20, 30, 40]);
  });

  it('works on as many items at once as it may, and no more', async () => {
    let running = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await turn();
      running--;
    };
    await Array.fromAsync(mapInOrder(Array(20).fill(0), 7, work));
    expect(most).toBe(7);
  });

  it('begins nothing after an item failed, and throws its failure', async () => {
    const begun: number[] = [];
    const work = async (n: number): Promise<number> => {
      begun.push(n);
      if (n >= 2) throw new Error(`item ${n}`);
      return n;
    };
    await expect(Array.fromAsync(mapInOrder([1, 2, 3, 4, 5, 6], 2, work))).rejects.toThrow('item 2');
    expect(begun).toEqual([1, 2, 3]);
  });

  it('begins nothing after its reader left', async () => {
    const begun: number[] = [];
    for await (const _ of mapInOrder([1, 2, 3, 4, 5], 2, async (n) => begun.push(n))) break;
    expect(begun).toEqual([1, 2]);
  });
});

describe('mapAll', () => {
  it('throws a failure once nothing is under way any more', async () => {
    let running = 0;
    const work = async (n: number): Promise<number> => {
      running++;
      for (let i = 0; i < n; i++) await turn();
      running--;
      if (n === 1) throw new Error('the first');
      return n;
    };
    await expect(mapAll([1, 5, 9], 3, work)).rejects.toThrow('the first');
    expect(running).toBe(0);
    expect(await mapAll([3, 2], 3, work)).toEqual([3, 2]);
  });
});

describe('a budget', () => {
  it('never lets work at once that costs more than the total, and does all of it', async () => {
    const budget = new Budget(10);
    let spent = 0;
    let most = 0;
    const costs = [3, 9, 1, 1, 5, 4, 10, 2];
    await Promise.all(
      costs.map((cost) =>
        budget.spend(cost, async () => {
          spent += cost;
          most = Math.max(most, spent);
          await turn();
          spent -= cost;
        }),
      ),
    );
    expect({ spent, most: most <= 10 }).toEqual({ spent: 0, most: true });
  });

  it('lets what costs more than the total work alone', async () => {
    expect(await new Budget(1).spend(100, async () => 'done')).toBe('done');
  });

  it('gives back what work that failed had taken', async () => {
    const budget = new Budget(1);
    await expect(budget.spend(1, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await budget.spend(1, async () => 'done')).toBe('done');
  });
});
