import { availableParallelism } from 'node:os';
import { LakeletError, printable } from '../errors.ts';

/** How many features are tried at each split, of all there are. */
export type MaxFeatures = number | 'sqrt' | 'log2';

/** How a forest is grown; the names are scikit-learn's, in camel case. */
export interface ForestOptions {
  /** How many trees; 100 by default. */
  readonly nEstimators?: number;
  /**
   * What trees predict, and are split by: the mean, by squared error (the default); the median (absolute_error), or
   * another quantile, by which side of it the rows lie.
   */
  readonly criterion?: 'squared_error' | 'absolute_error' | 'quantile';
  /** The quantile that is predicted, in (0, 1); for criterion 'quantile' alone, which needs it. */
  readonly quantile?: number;
  /** How many splits lie at most between root and leaf; unlimited by default. */
  readonly maxDepth?: number;
  /** How many drawn rows a leaf holds at least, a row drawn twice counting twice; 1 by default. */
  readonly minSamplesLeaf?: number;
  /** The share of features tried at each split, in (0, 1], or the root or binary logarithm of their number; a third by default. At least one is tried. */
  readonly maxFeatures?: MaxFeatures;
  /** Any whole number; the same seed, data and options give the same forest. 0 by default. */
  readonly randomState?: number;
  /** Whether each tree learns from rows drawn with replacement (true, the default) or from all rows. */
  readonly bootstrap?: boolean;
  /** How many rows are drawn for each tree, as a share in (0, 1] of all; 1 by default. Less needs bootstrap. */
  readonly maxSamples?: number;
  /** Whether each row is predicted by those trees that did not draw it: the model's `outOfBag` and `learningCurve`. Needs bootstrap; false by default. */
  readonly oobScore?: boolean;
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
  /** The quantile that is predicted; undefined for the mean. */
  readonly quantile: number | undefined;
  readonly maxFeatures: MaxFeatures;
  readonly randomState: number;
  readonly bootstrap: boolean;
  readonly maxSamples: number;
  readonly oobScore: boolean;
  readonly nJobs: number;
}

const NAMES = new Set([
  'nEstimators',
  'criterion',
  'quantile',
  'maxDepth',
  'minSamplesLeaf',
  'maxFeatures',
  'randomState',
  'bootstrap',
  'maxSamples',
  'oobScore',
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
      throw invalid(`"${printable(name, 80)}" is no option of a forest; use ${[...NAMES].join(', ')}.`);
    }
  }
  const nEstimators = whole('nEstimators', options.nEstimators ?? 100, 1, 100_000);
  const bootstrap = yesOrNo('bootstrap', options.bootstrap ?? true);
  const maxSamples = share('maxSamples', options.maxSamples ?? 1);
  const oobScore = yesOrNo('oobScore', options.oobScore ?? false);
  if (!bootstrap && (maxSamples < 1 || oobScore)) {
    const name = oobScore ? 'oobScore' : 'maxSamples';
    throw invalid(`${name} needs rows that trees do not draw; leave bootstrap true.`);
  }
  return {
    nEstimators,
    maxDepth:
      options.maxDepth === undefined || options.maxDepth === Infinity
        ? Infinity
        : whole('maxDepth', options.maxDepth, 1, 2 ** 31 - 1),
    minSamplesLeaf: whole('minSamplesLeaf', options.minSamplesLeaf ?? 1, 1, 2 ** 31 - 1),
    quantile: quantileOf(options),
    maxFeatures: checkedMaxFeatures(options.maxFeatures ?? 1 / 3),
    randomState: whole('randomState', options.randomState ?? 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    bootstrap,
    maxSamples,
    oobScore,
    nJobs: Math.min(nEstimators, whole('nJobs', options.nJobs ?? Math.min(availableParallelism(), 256), 1, 256)),
  };
}

/** How many of `count` features are tried at each split. */
export function triedFeatures(maxFeatures: MaxFeatures, count: number): number {
  if (maxFeatures === 'sqrt') return Math.max(1, Math.floor(Math.sqrt(count)));
  if (maxFeatures === 'log2') return Math.max(1, Math.floor(Math.log2(count)));
  return Math.max(1, Math.floor(maxFeatures * count + 1e-9));
}

function checkedMaxFeatures(given: MaxFeatures): MaxFeatures {
  if (given === 'sqrt' || given === 'log2') return given;
  if (typeof given === 'number' && given > 0 && given <= 1) return given;
  throw invalid(
    `maxFeatures is ${printable(String(given), 80)}; give a share of the features above 0, at most 1, or 'sqrt' or 'log2'.`,
  );
}

function quantileOf({ criterion = 'squared_error', quantile }: ForestOptions): number | undefined {
  if (criterion !== 'squared_error' && criterion !== 'absolute_error' && criterion !== 'quantile') {
    throw invalid(
      `criterion is ${printable(String(criterion), 80)}; give 'squared_error', 'absolute_error' or 'quantile'.`,
    );
  }
  if (criterion === 'quantile') {
    if (typeof quantile === 'number' && quantile > 0 && quantile < 1) return quantile;
    throw invalid(
      `quantile is ${printable(String(quantile), 80)}; criterion 'quantile' needs one above 0 and below 1.`,
    );
  }
  if (quantile !== undefined) throw invalid("quantile is given without criterion 'quantile'; leave it out.");
  return criterion === 'absolute_error' ? 0.5 : undefined;
}

function share(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  throw invalid(`${name} is ${printable(String(value), 80)}; give a share above 0, at most 1.`);
}

function yesOrNo(name: string, value: boolean): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`${name} is ${printable(String(value), 80)}; give true or false.`);
}

function whole(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} is ${printable(String(value), 80)}; give a whole number from ${least} to ${most}.`);
}

function invalid(message: string): LakeletError {
  return new LakeletError('FOREST_INVALID_OPTION', message);
}
