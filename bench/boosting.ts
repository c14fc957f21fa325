/**
 * `npm run bench -- boosting [--rows N,N] [--seeds N] [--trees N] [--predict N] [--peers A,B] [--data FOLDER]
 * [--python PROGRAM]`: Lakelet's boosted trees beside scikit-learn's HistGradientBoostingRegressor (on plain codes, and
 * told which features are categories) and LightGBM, each with its defaults for leaves and rates, no early stopping; what
 * is printed is said in forest.ts.
 */
import { compare, type Side } from './trees/compare.ts';
import type { Growth } from './trees/model-job.ts';
import { benchOptions, withTrainingFiles } from './trees/options.ts';

const PEERS: readonly Side[] = [
  { label: 'HistGradientB., codes', model: 'hist' },
  { label: 'HistGradientB., categ.', model: 'hist-categorical' },
  { label: 'LightGBM', model: 'lightgbm-boosting' },
];

const GROWTH: Growth = { name: '31 leaves, rate 0.1', leaf: 20, maxFeatures: 1 };

const options = benchOptions(PEERS);
for (const rows of options.rows) {
  await withTrainingFiles(rows, options.data, (data) =>
    compare({ ...options, data, growth: GROWTH, ours: { label: 'Lakelet', model: 'boosting' } }),
  );
}
