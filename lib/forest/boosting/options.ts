import { availableParallelism } from 'node:os';
import { LakeletError, printable } from '../../errors.ts';

/** When to stop adding trees: where a held-out part of the training rows no longer gains by them. */
export interface EarlyStopping {
  /** The share of the training rows that is held out, in (0, 1); a tenth by default. */
  readonly share?: number;
  /** How many rounds in a row may bring nothing; 10 by default. */
  readonly rounds?: number;
  /** By what share of itself the held-out error must fall to count as less; 1e-7 by default. */
  readonly tolerance?: number;
}

/** How trees are boosted; the names are those of scikit-learn's HistGradientBoostingRegressor, in camel case. */
export interface BoostingOptions {
  /** How many rounds, a tree each; 100 by default. */
  readonly nEstimators?: number;
  /** What each tree's values are multiplied by, in (0, 1]; 0.1 by default. */
  readonly learningRate?: number;
  /** How many leaves a tree has at most, 2 to 65,536; 31 by default. */
  readonly maxLeafNodes?: number;
  /** How many splits lie at most between root and leaf; unlimited by default. */
  readonly maxDepth?: number;
  /** How many rows a leaf holds at least, whatever they weigh; 20 by default. */
  readonly minSamplesLeaf?: number;
  /** Added to the weight of each leaf, which draws its value towards 0; 0 by default. */
  readonly l2Regularization?: number;
  /** The share of features tried at each split, in (0, 1]; all by default. At least one is tried. */
  readonly maxFeatures?: number;
  /** false (the default): all rounds are made. True holds out a tenth and stops after 10 rounds without gain. */
  readonly earlyStopping?: boolean | EarlyStopping;
  /** Any whole number; the same seed, data and options give the same model. 0 by default. */
  readonly randomState?: number;
  /** How many worker threads; as many as there are processors by default. The model does not depend on it. */
  readonly nJobs?: number;
  /** Ends the training, and its workers, with a LakeletError of code ABORTED. */
  readonly signal?: AbortSignal;
  /** Called on the caller's thread after each round. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Options with every default filled in; `maxDepth` is Infinity where it is unlimited. */
export interface ResolvedBoosting {
  readonly nEstimators: number;
  readonly learningRate: number;
  readonly maxLeafNodes: number;
  readonly maxDepth: number;
  readonly minSamplesLeaf: number;
  readonly l2Regularization: number;
  readonly maxFeatures: number;
  readonly earlyStopping: Required<EarlyStopping> | undefined;
  readonly randomState: number;
  readonly nJobs: number;
}

const NAMES: ReadonlySet<string> = new Set([
  'nEstimators',
  'learningRate',
  'maxLeafNodes',
  'maxDepth',
  'minSamplesLeaf',
  'l2Regularization',
  'maxFeatures',
  'earlyStopping',
  'randomState',
  'nJobs',
  'signal',
  'onProgress',
]);
const STOPPING_NAMES: ReadonlySet<string> = new Set(['share', 'rounds', 'tolerance']);
const MOST = 2 ** 31 - 1;

/**
 * Options checked, with defaults filled in.
 * @throws LakeletError FOREST_INVALID_OPTION for an unknown name or a value out of range
 */
export function resolveBoosting(options: BoostingOptions): ResolvedBoosting {
  checkNames(options, NAMES, 'boosting');
  return {
    nEstimators: whole('nEstimators', options.nEstimators ?? 100, 1, 100_000),
    learningRate: within('learningRate', options.learningRate ?? 0.1, (rate) => rate > 0 && rate <= 1, '(0, 1]'),
    maxLeafNodes: whole('maxLeafNodes', options.maxLeafNodes ?? 31, 2, 65_536),
    maxDepth:
      options.maxDepth === undefined || options.maxDepth === Infinity
        ? Infinity
        : whole('maxDepth', options.maxDepth, 1, MOST),
    minSamplesLeaf: whole('minSamplesLeaf', options.minSamplesLeaf ?? 20, 1, MOST),
    l2Regularization: within(
      'l2Regularization',
      options.l2Regularization ?? 0,
      (l2) => l2 >= 0 && l2 <= Number.MAX_VALUE,
      '[0, ∞)',
    ),
    maxFeatures: within('maxFeatures', options.maxFeatures ?? 1, (share) => share > 0 && share <= 1, '(0, 1]'),
    earlyStopping: stopping(options.earlyStopping ?? false),
    randomState: whole('randomState', options.randomState ?? 0, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    nJobs: whole('nJobs', options.nJobs ?? Math.min(availableParallelism(), 256), 1, 256),
  };
}

function stopping(given: boolean | EarlyStopping): Required<EarlyStopping> | undefined {
  if (given === false) return undefined;
  if (given !== true && (typeof given !== 'object' || given === null))
    throw invalid(
      `earlyStopping is ${printable(String(given), 80)}; give true, false or { share, rounds, tolerance }.`,
    );
  const { share = 0.1, rounds = 10, tolerance = 1e-7 }: EarlyStopping = given === true ? {} : given;
  if (given !== true) checkNames(given, STOPPING_NAMES, 'earlyStopping');
  return {
    share: within('earlyStopping.share', share, (value) => value > 0 && value < 1, '(0, 1)'),
    rounds: whole('earlyStopping.rounds', rounds, 1, 100_000),
    tolerance: within('earlyStopping.tolerance', tolerance, (value) => value >= 0 && value < 1, '[0, 1)'),
  };
}

function checkNames(options: object, names: ReadonlySet<string>, of: string): void {
  for (const name of Object.keys(options))
    if (!names.has(name))
      throw invalid(`"${printable(name, 80)}" is no option of ${of}; use ${[...names].join(', ')}.`);
}

function within(name: string, value: number, fits: (value: number) => boolean, range: string): number {
  if (typeof value === 'number' && fits(value)) return value;
  throw invalid(`${name} is ${printable(String(value), 80)}; give a number in ${range}.`);
}

function whole(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} is ${printable(String(value), 80)}; give a whole number from ${least} to ${most}.`);
}

function invalid(message: string): LakeletError {
  return new LakeletError('FOREST_INVALID_OPTION', message);
}
