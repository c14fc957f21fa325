/**
 * `npm run bench -- [--rows N,N] [--repeat N] [--trees N] [--depth N] [--mlflow]`: the pipeline beside the same job in
 * Python (DuckDB, delta-rs, scikit-learn), on the same rows and by the same SQL, one after the other; prints seconds, ratios
 * (ours to Python's, medians of the repeats), R² and peak memory. With `--mlflow` both log what they trained to a real
 * MLflow server, which is part of `train`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { purchases } from '../datasets/purchases/index.ts';
import { DeltaTable } from '../lib/duckdb/delta.ts';
import { type RunningServer, startMlflowServer } from '../lib/mlflow/index.ts';
import { splitSql } from '../lib/quality/split.ts';
import { measured, PYTHON, ROOT } from './process.ts';
import { median } from './statistics.ts';

interface Measured {
  readonly seconds: Readonly<Record<string, number>>;
  readonly r2: number;
  readonly trainingRows: number;
  readonly peakMB: number;
}

const STEPS = ['bronze', 'silver', 'aggregates', 'train', 'total'];

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000,1000000' },
    repeat: { type: 'string', default: '3' },
    trees: { type: 'string', default: '100' },
    depth: { type: 'string', default: '10' },
    mlflow: { type: 'boolean', default: false },
  },
});

const home = await mkdtemp(join(tmpdir(), 'lakelet-bench-mlflow-'));
let server: RunningServer | undefined;
try {
  if (values.mlflow) server = await startMlflowServer({ home, candidates: [PYTHON], port: 0 });
  for (const rows of values.rows.split(',')) await compare(rows);
} finally {
  await server?.stop();
  await rm(home, { recursive: true, force: true });
}

async function compare(rows: string): Promise<void> {
  const ours: Measured[] = [];
  const python: Measured[] = [];
  for (let round = 0; round < Number(values.repeat); round++) {
    const folder = await mkdtemp(join(tmpdir(), 'lakelet-bench-'));
    try {
      const lake = join(folder, 'lake');
      ours.push(await runLakelet(rows, folder));
      python.push(await runPython(lake, join(folder, 'python')));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  print(rows, ours, python);
}

function runLakelet(rows: string, folder: string): Promise<Measured> {
  const script = join(ROOT, 'bench', 'lakelet_run.ts');
  const lake = join(folder, 'lake');
  return measured(process.execPath, [script, rows, values.trees, values.depth, folder, lake, server?.uri ?? '']);
}

async function runPython(lake: string, root: string): Promise<Measured> {
  const bronze = await DeltaTable.open(join(lake, 'bronze', 'purchases'));
  const { model, identity, silver, gold } = purchases;
  const job = {
    root,
    bronze: (await bronze.files()).map(({ path }) => join(lake, 'bronze', 'purchases', path)),
    split: splitSql(purchases),
    silver: join(ROOT, silver.sqlFile),
    gold: Object.fromEntries(gold.map(({ name, sqlFile }) => [name, join(ROOT, sqlFile)])),
    features: model.features.map(({ name }) => name),
    categories: model.features.filter(({ kind }) => kind === 'categorical').map(({ name }) => name),
    target: model.target,
    key: identity.key,
    trees: Number(values.trees),
    depth: Number(values.depth),
    seed: 42,
    mlflow: server?.uri,
  };
  return measured(PYTHON, [join(ROOT, 'bench', 'python_pipeline.py')], job);
}

function print(rows: string, ours: readonly Measured[], python: readonly Measured[]): void {
  const line = (name: string, a: number, b: number, digits: number): string =>
    `${name.padEnd(14)}${a.toFixed(digits).padStart(10)}${b.toFixed(digits).padStart(10)}${(a / b).toFixed(2).padStart(8)}\n`;
  const by = (of: (one: Measured) => number): [number, number] => [median(ours.map(of)), median(python.map(of))];
  const lines = STEPS.map((step) => line(`${step} s`, ...by(({ seconds }) => seconds[step] ?? Number.NaN), 2));
  process.stdout.write(
    `\n${Number(rows).toLocaleString('en')} rows, ${values.trees} trees, depth ${values.depth}, median of ${values.repeat}\n${' '.repeat(14)}   Lakelet    Python   ratio\n${lines.join('')}` +
      line('peak MB', ...by(({ peakMB }) => peakMB), 0) +
      line('R2', ...by(({ r2 }) => r2), 4) +
      line('training rows', ...by(({ trainingRows }) => trainingRows), 0),
  );
}
