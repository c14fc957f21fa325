import type { Tree } from '../tree.ts';
import type { BoostingLayout } from './layout.ts';
import type { ResolvedBoosting } from './options.ts';

/** What the threads of a boosting share. All arrays lie in shared memory. */
export interface BoostingJob {
  readonly kind: 'boosting';
  readonly memory: WebAssembly.Memory;
  readonly layout: BoostingLayout;
  readonly options: Omit<ResolvedBoosting, 'nJobs'>;
  /** The training rows as 32-bit columns, NaN where missing, and the upper edges of their bins. */
  readonly columns: readonly Float32Array[];
  readonly edges: readonly Float32Array[];
  /** The target less `origin`, and what of it the model begins with: its base less `origin`. */
  readonly target: Float64Array;
  readonly start: number;
  readonly weighting: Weighting;
  readonly validation: Validation | undefined;
}

/** How weights became whole numbers, which count in units of `unit`. */
export interface Weighting {
  /** How many bits of a packed word count rows; 0 where rows weigh the same, and the word is their number. */
  readonly countBits: number;
  readonly unit: number;
}

/** The rows that are held out to stop early. */
export interface Validation {
  /** As the model takes it, row-major. */
  readonly matrix: Float32Array;
  /** The target less what the model predicts so far. */
  readonly residuals: Float64Array;
  readonly weights: Float64Array | undefined;
  /** The sum of weight × residual² of each block of rows. */
  readonly blockSums: Float64Array;
  readonly totalWeight: number;
}

/** What the first thread reports: each round's tree, and that it was the last. */
export type BoostingReport =
  | {
      readonly kind: 'round';
      readonly tree: Tree;
      /** By feature, how much the tree's splits lowered the weighted squared error. */
      readonly gains: Float64Array;
      /** The held-out rows' root mean squared error; NaN where none are held out. */
      readonly error: number;
    }
  | { readonly kind: 'trained' };
