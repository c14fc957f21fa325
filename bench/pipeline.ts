/**
 * `npm run bench -- [--rows N,N] [--repeat N] [--trees N] [--depth N]`: the pipeline beside the same job in Python (DuckDB,
 * delta-rs, scikit-learn), on the same rows and by the same SQL, one after the other; prints seconds, ratios (ours to
 * Python's, medians of the repeats), R² and peak memory.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { purchases } from '../datasets/purchases/index.ts';
import { DeltaTable } from '../lib/duckdb/delta.ts';
import { splitSql } from '../lib/quality/split.ts';

interface Measured {
  readonly seconds: Readonly<Record<string, number>>;
  readonly r2: number;
  readonly trainingRows: number;
  readonly peakMB: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PYTHON = join(ROOT, '.venv', ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
const STEPS = ['bronze', 'silver', 'aggregates', 'train', 'total'];

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000,1000000' },
    repeat: { type: 'string', default: '3' },
    trees: { type: 'string', default: '100' },
    depth: { type: 'string', default: '10' },
  },
});

for (const rows of values.rows.split(',')) await compare(rows);

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
  return measured(process.execPath, [script, rows, values.trees, values.depth, folder], '');
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
  };
  return measured(PYTHON, [join(ROOT, 'bench', 'python_pipeline.py')], JSON.stringify(job));
}

/** Runs a program that prints one {@link Measured} as JSON. */
function measured(command: string, args: readonly string[], input: string): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(out));
      else reject(new Error(`${command} ended with ${code}`));
    });
    child.stdin.end(input);
  });
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

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
