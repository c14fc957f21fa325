/**
 * `npm run bench -- forest [--rows N,N] [--seeds N] [--trees N] [--predict N] [--peers A,B] [--only "depth 10"]
 * [--data FOLDER] [--python PROGRAM]`: Lakelet's forest beside scikit-learn's (on ordinal codes, and one-hot), LightGBM's
 * and YDF's, with all processors, on the same rows of silver, each in a process of its own and in turn. Prints seconds to
 * fit (the median of the seeds, and the best), user seconds, accuracy on the held-out rows with its spread, peak memory
 * (of the process, and on top of what it held before) and seconds to predict; ratios are ours to the line's.
 */
import { compare, type Side } from './trees/compare.ts';
import type { Growth } from './trees/model-job.ts';
import { benchOptions, withTrainingFiles } from './trees/options.ts';

const PEERS: readonly Side[] = [
  // One-hot columns give a category as many chances to be drawn as it has values; of whole features more are to be drawn.
  { label: 'Lakelet, half', model: 'forest', maxFeatures: 1 / 2 },
  { label: 'scikit-learn, codes', model: 'sklearn' },
  { label: 'scikit-learn, one-hot', model: 'onehot' },
  { label: 'LightGBM, rf', model: 'lightgbm' },
  { label: 'YDF', model: 'ydf' },
];

const GROWTHS: readonly Growth[] = [
  { name: 'depth 10', depth: 10, leaf: 1, maxFeatures: 1 / 3 },
  { name: 'unlimited, leaf 5', leaf: 5, maxFeatures: 1 / 3 },
];

const options = benchOptions(PEERS);
for (const rows of options.rows) {
  await withTrainingFiles(rows, options.data, async (data) => {
    for (const growth of GROWTHS.filter(({ name }) => options.only === undefined || name === options.only)) {
      await compare({ ...options, data, growth, ours: { label: 'Lakelet', model: 'forest' } });
    }
  });
}
