import type { ChampionScore, HeldOut, TrainingRecord } from '../../../lib/mlflow/index.ts';

/** A training as a test needs one: its model's bytes are of no use to anyone but for telling models apart. */
export function trainingExample(runId: string, rmse: number, more: Partial<TrainingRecord> = {}): TrainingRecord {
  return {
    runId,
    startedAt: Date.UTC(2026, 0, 1),
    endedAt: Date.UTC(2026, 0, 1, 0, 1),
    params: { trees: 100, bootstrap: true, algorithm: 'forest' },
    metrics: { rmse, r2: 0.8, mae: Number.NaN },
    curves: [{ name: 'oob_rmse', values: [Number.NaN, 7, 6, rmse] }],
    tags: { team: 'tests', 'mlflow.user': 'ada' },
    artifacts: [{ path: 'plots/importances.svg', body: new TextEncoder().encode('<svg/>') }],
    dataset: {
      name: 'silver/purchases',
      uri: 'file:///lake/silver/purchases',
      version: 7,
      predicate: 'age > 18',
      columns: [
        { name: 'age', type: 'integer', nullable: true },
        { name: 'price', type: 'decimal(10,2)', nullable: false },
      ],
      profile: { num_rows: 10 },
    },
    model: {
      name: 'purchase-amount',
      onnx: new TextEncoder().encode(`model of ${runId}`),
      features: [
        { name: 'age', kind: 'numeric' },
        { name: 'city', kind: 'categorical', categories: ['Bern', 'a "quoted" one'] },
      ],
      inputExample: [
        [30, 1],
        [Number.NaN, 0],
      ],
      importances: [{ name: 'age', importance: 0.75 }],
    },
    heldOut: {
      id: 'rows-1',
      rows: 2,
      features: new Float32Array([30, 1, 40, 0]),
      target: new Float64Array([5, 6]),
      predicted: Float64Array.of(5 + rmse, 6 - rmse),
    },
    ...more,
  };
}

/** A champion with this RMSE, which the model whose predictions came with the rows beats where its own is lower. */
export function championScore(
  rmse: number,
  { predicted = new Float64Array(), target = new Float64Array() }: HeldOut,
): ChampionScore {
  const ours = Math.abs((predicted[0] ?? Number.NaN) - (target[0] ?? Number.NaN));
  const better = ours < rmse;
  return { rmse, better, pValue: better ? 0.001 : 0.9, difference: rmse ** 2 - ours ** 2, metrics: { rmse, r2: 0.5 } };
}
