import { KernelLayout } from './kernel/kernel.ts';

/** A feature's histograms and what goes with them, for three features at once: see kernel/assembly/forest.ts. */
const SCRATCH_BYTES = 16_384;
const BEST_BYTES = 64;

/** What one thread works on: addresses of the lists of its tree's rows, of as much room aside, and of what the kernel finds. */
export interface ThreadSpace {
  readonly index: number;
  readonly sums: number;
  /** 0 where rows have no weights, and `drawnAside` with it. */
  readonly drawn: number;
  readonly indexAside: number;
  readonly sumsAside: number;
  readonly drawnAside: number;
  readonly features: number;
  readonly scratch: number;
  readonly best: number;
}

/** The kernel's memory in the training of a forest. */
export interface Workspace {
  readonly memory: WebAssembly.Memory;
  /** The rows' bins: row-major, one byte a feature. */
  readonly bins: number;
  /** How many bins each feature has beside that of missing values. */
  readonly binCounts: number;
  readonly threads: readonly ThreadSpace[];
}

/**
 * Lays the training of a forest out: a byte a value, and for each thread 40 bytes a row, 48 where rows have weights (of
 * which a tree touches those of the rows that it drew, and half of them only as far as a split has rows to its right).
 * @throws LakeletError FOREST_TOO_LARGE where that is more than the 4 GiB that WebAssembly can address
 */
export function layOutWorkspace(
  rows: number,
  binCounts: readonly number[],
  threads: number,
  weighted: boolean,
): Workspace {
  const layout = new KernelLayout();
  const features = binCounts.length;
  const bins = layout.take(rows * features);
  const counts = layout.take(features * 4);
  const spaces = Array.from({ length: threads }, () => ({
    index: layout.take(rows * 4),
    sums: layout.take(rows * 16),
    drawn: weighted ? layout.take(rows * 4) : 0,
    indexAside: layout.take(rows * 4),
    sumsAside: layout.take(rows * 16),
    drawnAside: weighted ? layout.take(rows * 4) : 0,
    features: layout.take(features * 4),
    scratch: layout.take(SCRATCH_BYTES),
    best: layout.take(BEST_BYTES),
  }));
  const memory = layout.memory(
    `A forest of ${rows} rows, ${features} features and ${threads} workers`,
    'train on a sample of the rows, on fewer features, or with fewer workers (nJobs)',
  );
  new Uint32Array(memory.buffer, counts, features).set(binCounts);
  return { memory, bins, binCounts: counts, threads: spaces };
}
