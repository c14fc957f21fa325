import { availableParallelism } from 'node:os';
import { LakeletError, printable } from '../errors.ts';

/** How a forest is grown; the names are scikit-learn's, in camel case. */
export interface ForestOptions {
  /** How many trees; 100 by default. */
  readonly nEstimators?: number;
  /** How many splits lie at most between root and leaf; unlimited by default. */
  readonly maxDepth?: number;
  /** How many drawn rows a leaf holds at least, a row drawn twice counting twice; 1 by default. */
  readonly minSamplesLeaf?: number;
  /** The share of features tried at each split, in (0, 1]; a third by default. At least one is tried. */
  readonly maxFeatures?: number;
  /** Any whole number; the same seed, data and options give the same forest. 0 by default. */
  readonly randomState?: number;
  /** Whether each tree learns from rows drawn with replacement (true, the default) or from all rows. */
  readonly bootstrap?: boolean;
  /** How many worker threads; as many as there are processors by default. The forest does not depend on it. */
  readonly nJobs?: number;
  /** Ends the training, and its workers, with a LakeletError of code ABORTED. */
  readonly signal?: AbortSignal;
  /** Called on the caller's thread after each tree. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Options with every default filled in; `maxDepth` is Infinity where it is unlimited. */
export interface ResolvedOptions {
  readonly nEstimators: number;
  readonly maxDepth: number;
  readonly minSamplesLeaf: number;
  readonly maxFeatures: number;
  readonly randomState: number;
  readonly bootstrap: boolean;
  readonly nJobs: number;
}

const NAMES = new Set([
  'nEstimators',
  'maxDepth',
  'minSamplesLeaf',
  'maxFeatures',
  'randomState',
  'bootstrap',
  'nJobs',
  'signal',
  'onProgress',
]);

/**
 * Options checked, with defaults filled in.
 * @throws LakeletError FOREST_INVALID_OPTION for an unknown name or a value out of range
 */
export function resolveOptions(options: ForestOptions): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) {
      throw new LakeletError(
        'FOREST_INVALID_OPTION',
        `"${printable(name, 80)}" is no option of a forest; use ${[...NAMES].join(', ')}.`,
      );
    }
  }
  const nEstimators = whole('nEstimators', options.nEstimators ?? 100, 1, 100_000);
  const maxFeatures = options.maxFeatures ?? 1 / 3;
  if (typeof maxFeatures !== 'number' || !(maxFeatures > 0 && maxFeatures <= 1)) {
    throw new LakeletError(
      'FOREST_INVALID_OPTION',
      `maxFeatures is ${printable(String(maxFeatures), 80)}; give a share of the features above 0, at most 1.`,
    );
  }
  const bootstrap = options.bootstrap ?? true;
  if (typeof bootstrap !== 'boolean') {
    throw new LakeletError(
      'FOREST_INVALID_OPTION',
      `bootstrap is ${printable(String(bootstrap), 80)}; give true or false.`,
    );
  }
  return {
    nEstimators,
    maxDepth:
      options.maxDepth === undefined || options.maxDepth === Infinity
        ? Infinity
        : whole('maxDepth', options.maxDepth, 1, 2 ** 31 - 1),
    minSamplesLeaf: whole('minSamplesLeaf', options.minSamplesLeaf ?? 1, 1, 2 ** 31 - 1),
    maxFeatures,
    randomState: whole('randomState', options.randomState ?? 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    bootstrap,
    nJobs: Math.min(nEstimators, whole('nJobs', options.nJobs ?? Math.min(availableParallelism(), 256), 1, 256)),
  };
}

function whole(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new LakeletError(
    'FOREST_INVALID_OPTION',
    `${name} is ${printable(String(value), 80)}; give a whole number from ${least} to ${most}.`,
  );
}
