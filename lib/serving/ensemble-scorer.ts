import { encodeColumns, type FeatureColumn, type ModelFeature, type TreeEnsemble } from '../forest/index.ts';
import { checkedColumns } from './columns.ts';
import type { Scorer, ServedFeature, UnseenCategory } from './model.ts';

/** Scores with trees of Lakelet's own. */
export function ensembleScorer(ensemble: TreeEnsemble): Scorer {
  const features = ensemble.features.map(
    ({ name, kind }): ServedFeature => ({ name, type: kind === 'numeric' ? 'float' : 'string', nullable: true }),
  );
  return {
    features,
    hasIntervals: ensemble.intervals !== undefined,
    async score(given, first = 0) {
      const columns = checkedColumns(features, given, first);
      const unseen = unseenOf(ensemble.features, columns);
      const { matrix } = encodeColumns(ensemble.features, columns);
      if (ensemble.intervals === undefined) return { predicted: ensemble.predictMatrix(matrix), unseen };
      const { predicted, lower, upper } = ensemble.predictIntervals(matrix);
      return { predicted, intervals: { lower, upper }, unseen };
    },
  };
}

function unseenOf(features: readonly ModelFeature[], columns: readonly FeatureColumn[]): UnseenCategory[] {
  return features.flatMap((feature, at) => {
    const column = columns[at];
    if (feature.kind === 'numeric' || column?.kind !== 'categorical') return [];
    const known = new Set(feature.categories);
    return column.categories
      .filter((category) => !known.has(category))
      .map((category) => ({ feature: feature.name, category }));
  });
}
