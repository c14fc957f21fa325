import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Algorithm,
  type BoostingOptions,
  type ForestOptions,
  type TrainingData,
  type TreeEnsemble,
  trainBoosting,
  trainForest,
} from '../forest/index.ts';
import { ALGORITHMS } from '../pipeline/events.ts';
import { wholeNumber } from './arguments.ts';

/** What the command line says of a model. */
export interface ModelOptions {
  readonly algorithm: Algorithm;
  readonly trees?: number;
  readonly maxDepth?: number;
  readonly minSamplesLeaf?: number;
  readonly maxFeatures?: number;
  readonly seed: number;
  readonly jobs?: number;
  readonly bootstrap: boolean;
  readonly maxSamples?: number;
  readonly oobScore?: boolean;
  readonly criterion?: NonNullable<ForestOptions['criterion']>;
  readonly quantile?: number;
  readonly learningRate?: number;
  readonly maxLeafNodes?: number;
  readonly l2Regularization?: number;
  readonly earlyStopping?: boolean;
}

/** Options that one algorithm alone has, as commander names them and as they are written. */
const ONLY: Readonly<Record<Algorithm, Readonly<Record<string, string>>>> = {
  forest: {
    bootstrap: '--no-bootstrap',
    maxSamples: '--max-samples',
    oobScore: '--oob-score',
    criterion: '--criterion',
    quantile: '--quantile',
  },
  boosting: {
    learningRate: '--learning-rate',
    maxLeafNodes: '--max-leaf-nodes',
    l2Regularization: '--l2-regularization',
    earlyStopping: '--early-stopping',
  },
};

/** Adds the options that say what model is trained. */
export function addModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--algorithm <algorithm>', 'a random forest, or boosted trees').choices(ALGORITHMS).default('forest'),
    )
    .option('--trees <n>', 'trees of a forest, or rounds of boosting (default: 100)', wholeNumber(1))
    .option('--max-depth <n>', 'splits between root and leaf at most (default: unlimited)', wholeNumber(1))
    .option('--min-samples-leaf <n>', 'rows that a leaf holds at least (default: 1; of boosting: 20)', wholeNumber(1))
    .option(
      '--max-features <f>',
      'the share of the features that a split may choose from (default: 1/3; of boosting: 1)',
      share,
    )
    .option('--seed <n>', 'what the draws are made from; the same seed gives the same model', wholeNumber(0), 42)
    .option('--jobs <n>', 'worker threads (default: as many as there are processors)', wholeNumber(1, 256))
    .option('--no-bootstrap', 'forest: each tree learns from all rows')
    .option('--max-samples <f>', 'forest: the share of the rows that is drawn for a tree (default: 1)', share)
    .option('--oob-score', 'forest: score each row by the trees that did not learn from it, and make intervals of that')
    .addOption(
      new Option(
        '--criterion <criterion>',
        'forest: what the leaves hold: a mean, a median, or the --quantile',
      ).choices(['squared_error', 'absolute_error', 'quantile']),
    )
    .option('--quantile <q>', 'forest: which quantile --criterion quantile predicts', share)
    .option('--learning-rate <f>', 'boosting: what a tree counts for (default: 0.1)', share)
    .option('--max-leaf-nodes <n>', 'boosting: leaves of a tree at most (default: 31)', wholeNumber(2, 65_536))
    .option('--l2-regularization <f>', 'boosting: what draws the leaves towards 0 (default: 0)', atLeastZero)
    .option('--early-stopping', 'boosting: stop where a held-out tenth gains no more for 10 rounds');
}

/** Ends as wrong usage where an option was given that the algorithm does not have. */
export function refuseOtherOptions(command: Command, algorithm: Algorithm): void {
  const other = algorithm === 'forest' ? 'boosting' : 'forest';
  for (const [name, flag] of Object.entries(ONLY[other])) {
    if (command.getOptionValueSource(name) === 'cli') {
      command.error(`error: option '${flag}' is of --algorithm ${other} alone`);
    }
  }
}

/** Trains the model that the options ask for. */
export function trainModel(
  data: TrainingData,
  options: ModelOptions,
  outside: Pick<ForestOptions, 'signal' | 'onProgress'>,
): Promise<TreeEnsemble> {
  const { algorithm, trees, seed, jobs, maxDepth, minSamplesLeaf, maxFeatures } = options;
  const common = {
    ...outside,
    randomState: seed,
    ...given({ nEstimators: trees, maxDepth, minSamplesLeaf, maxFeatures, nJobs: jobs }),
  };
  if (algorithm === 'forest') {
    const { bootstrap, maxSamples, oobScore, criterion, quantile } = options;
    const forest: ForestOptions = {
      ...common,
      bootstrap,
      ...given({ maxSamples, quantile }),
      ...(oobScore !== undefined && { oobScore }),
      ...(criterion !== undefined && { criterion }),
    };
    return trainForest(data, forest);
  }
  const { learningRate, maxLeafNodes, l2Regularization, earlyStopping } = options;
  const boosting: BoostingOptions = {
    ...common,
    ...given({ learningRate, maxLeafNodes, l2Regularization }),
    ...(earlyStopping !== undefined && { earlyStopping }),
  };
  return trainBoosting(data, boosting);
}

/** The options that have a value. */
function given<Name extends string>(values: Readonly<Record<Name, number | undefined>>): Partial<Record<Name, number>> {
  const kept: Partial<Record<Name, number>> = {};
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function numberOf(text: string): number {
  return /^[+]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

function share(text: string): number {
  const [, over, under] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  const value = over === undefined ? numberOf(text) : Number(over) / Number(under);
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('Give a number above 0, at most 1, such as 0.5 or 1/3.');
  return value;
}

function atLeastZero(text: string): number {
  const value = numberOf(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a number of at least 0.');
  return value;
}
