/**
 * The results of `work` in the order of the items. Up to `limit` items are worked on at once, also ahead of the reader;
 * when the reader leaves, or an item fails, no further one is begun.
 */
export async function* mapInOrder<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // It is awaited in its turn; until then a failure must not count as unhandled.
      result.catch(() => undefined);
      running.push(result);
      const first = running.length < limit ? undefined : running.shift();
      if (first !== undefined) yield await first;
    }
    for (let next = running.shift(); next !== undefined; next = running.shift()) yield await next;
  } finally {
    await Promise.allSettled(running);
  }
}

/** All results in the order of the items, up to `limit` at once; a failure is thrown once nothing is under way any more. */
export function mapAll<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  return Array.fromAsync(mapInOrder(items, limit, work));
}

interface Waiting {
  readonly cost: number;
  readonly start: () => void;
}

/** So much of something (memory, connections) that work may use at once; who asks first is served first. */
export class Budget {
  private readonly total: number;
  private used = 0;
  private readonly queue: Waiting[] = [];

  constructor(total: number) {
    this.total = total;
  }

  /** Does the work once its cost is free, in the unit of the total; what costs more than the total has it to itself. */
  async spend<Result>(cost: number, work: () => Promise<Result>): Promise<Result> {
    const share = Math.min(cost, this.total);
    await this.take(share);
    try {
      return await work();
    } finally {
      this.used -= share;
      this.startNext();
    }
  }

  private take(cost: number): Promise<void> {
    return new Promise((start) => {
      this.queue.push({ cost, start });
      this.startNext();
    });
  }

  private startNext(): void {
    for (let next = this.queue[0]; next !== undefined && this.used + next.cost <= this.total; next = this.queue[0]) {
      this.queue.shift();
      this.used += next.cost;
      next.start();
    }
  }
}
