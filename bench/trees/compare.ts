import { cpus } from 'node:os';
import { join } from 'node:path';
import { measured, ROOT } from '../process.ts';
import { deviation, difference, mean, median } from '../statistics.ts';
import type { Growth, ModelJob, ModelMeasured } from './model-job.ts';

/** One side of a comparison: what its line is called, and the model that its process is asked for. */
export interface Side {
  readonly label: string;
  readonly model: string;
  /** Another share of the features a split than the comparison's. */
  readonly maxFeatures?: number;
}

/** The models that Lakelet trains; all others are Python's. */
const OWN = ['forest', 'boosting'];

/** What is compared, and how often. */
export interface Comparison {
  /** The folder of the training files. */
  readonly data: string;
  readonly growth: Growth;
  readonly trees: number;
  readonly seeds: number;
  /** How many rows are predicted for the clock, by the first seed's models. */
  readonly predict: number;
  /** Lakelet's model. */
  readonly ours: Side;
  /** Each ratio is ours to one of these; accuracy is compared with the `equal`, or the first. */
  readonly peers: readonly Side[];
  /** The interpreter of the peers. */
  readonly python: string;
}

/** Trains all sides' models, seed by seed and side by side in turn, each in a process of its own; prints their table. */
export async function compare(comparison: Comparison): Promise<void> {
  const { growth, trees, seeds, ours, peers } = comparison;
  const sides = [ours, ...peers];
  const figures = new Map<Side, ModelMeasured[]>(sides.map((side) => [side, []]));
  for (let seed = 1; seed <= seeds; seed++) {
    for (const side of sides) {
      const one = await train(comparison, side, seed);
      figures.get(side)?.push(one);
      process.stderr.write(`${growth.name}, seed ${seed}, ${side.label}: ${one.fit.toFixed(2)} s\n`);
    }
  }
  const own = figures.get(ours) ?? [];
  process.stdout.write(`\n${growth.name}, ${trees} trees, ${seeds} seeds, ${cpus().length} processors\n${HEADER}`);
  for (const side of sides) process.stdout.write(lineOf(side, figures.get(side) ?? [], own));
  for (const peer of peers) process.stdout.write(accuracyLine(peer, figures.get(peer) ?? [], own));
}

function train({ data, growth, trees, predict, python }: Comparison, side: Side, seed: number) {
  const { model, maxFeatures = growth.maxFeatures } = side;
  const job: ModelJob = { ...growth, maxFeatures, data, model, trees, seed, predict: seed === 1 ? predict : 0 };
  const [program, script] = OWN.includes(model)
    ? [process.execPath, 'lakelet_model.ts']
    : ([python, 'python_model.py'] as const);
  return measured<ModelMeasured>(program, [join(ROOT, 'bench', 'trees', script)], job);
}

const LABEL = 24;
const HEADER = `${''.padEnd(LABEL)}   fit s  ratio   best  ratio  cpu s  all s  ratio      R2 ± sd            MAE ± sd     peak MB  above  predict s  ratio\n`;

/** Medians, the best, and accuracy with its spread; each ratio is ours to this side's. */
function lineOf({ label }: Side, these: readonly ModelMeasured[], own: readonly ModelMeasured[]): string {
  const of = (by: (one: ModelMeasured) => number, middle = median): [number, number] => [
    middle(own.map(by)),
    middle(these.map(by)),
  ];
  const seconds = ([a, b]: readonly [number, number], width: number): string =>
    b.toFixed(2).padStart(width) + (a / b).toFixed(2).padStart(7);
  const spread = (by: (one: ModelMeasured) => number, digits: number): string =>
    `${mean(these.map(by)).toFixed(digits)} ± ${deviation(these.map(by)).toFixed(digits)}`;
  const predict = of(
    ({ predict: one }) => one ?? Number.NaN,
    ([first = Number.NaN]) => first,
  );
  return [
    label.padEnd(LABEL),
    seconds(
      of(({ fit }) => fit),
      8,
    ),
    seconds(
      of(
        ({ fit }) => fit,
        (all) => Math.min(...all),
      ),
      7,
    ),
    of(({ cpu }) => cpu)[1]
      .toFixed(2)
      .padStart(7),
    seconds(
      of(({ all }) => all),
      7,
    ),
    spread(({ r2 }) => r2, 4).padStart(19),
    spread(({ mae }) => mae, 3).padStart(20),
    of(({ peak }) => peak)[1]
      .toFixed(0)
      .padStart(10),
    of(({ above }) => above)[1]
      .toFixed(0)
      .padStart(7),
    Number.isNaN(predict[1]) ? '' : seconds(predict, 11),
    '\n',
  ].join('');
}

/** Says whether another seed explains the difference in accuracy. */
function accuracyLine({ label }: Side, these: readonly ModelMeasured[], own: readonly ModelMeasured[]): string {
  const compared = (name: string, by: (one: ModelMeasured) => number, better: 1 | -1, digits: number): string => {
    const { by: found, noise } = difference(own.map(by), these.map(by));
    const verdict = Math.abs(found) <= noise ? 'within noise' : found * better > 0 ? 'better' : 'worse';
    // One seed tells nothing of the noise, nor do seeds by which nothing is drawn.
    const told = noise > 0 ? `noise ${noise.toFixed(digits)}: ${verdict}` : 'noise unknown';
    return `${name} ${found < 0 ? '−' : '+'}${Math.abs(found).toFixed(digits)} (${told})`;
  };
  const parts = [compared('R2', ({ r2 }) => r2, 1, 4), compared('MAE', ({ mae }) => mae, -1, 3)];
  return `${''.padEnd(2)}against ${label}: ${parts.join(', ')}\n`;
}
