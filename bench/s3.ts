/**
 * `node bench/s3.ts [--rows N,N] [--repeat N] [--trees N] [--depth N]`: the pipeline on a lake in S3 (MinIO on this machine)
 * beside the same on a lake in a folder, in turn; prints seconds, ratios (S3's to the folder's, medians of the repeats) and
 * peak memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMinio } from '../localstack/minio.ts';
import { measured, ROOT } from './process.ts';
import { median } from './statistics.ts';

interface Measured {
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakMB: number;
}

const STEPS = ['bronze', 'silver', 'aggregates', 'train', 'total'];

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    repeat: { type: 'string', default: '3' },
    trees: { type: 'string', default: '100' },
    depth: { type: 'string', default: '10' },
  },
});

const home = await mkdtemp(join(tmpdir(), 'lakelet-bench-'));
try {
  const minio = await startMinio({ home, buckets: ['lakelet'], say: (line) => process.stderr.write(`${line}\n`) });
  try {
    for (const rows of values.rows.split(',')) await compare(rows, minio.settings);
  } finally {
    await minio.stop();
  }
} finally {
  await rm(home, { recursive: true, force: true });
}

async function compare(rows: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const onS3: Measured[] = [];
  const inFolder: Measured[] = [];
  for (let round = 0; round < Number(values.repeat); round++) {
    const folder = join(home, `${rows}-${round}`);
    onS3.push(await run([rows, values.trees, values.depth, `${folder}-s3`, `s3://lakelet/${rows}/${round}`], settings));
    inFolder.push(await run([rows, values.trees, values.depth, folder], settings));
  }
  print(rows, onS3, inFolder);
}

/** Runs the pipeline in a process of its own. */
function run(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<Measured> {
  return measured(process.execPath, [join(ROOT, 'bench', 'lakelet_run.ts'), ...args], {}, settings);
}

function print(rows: string, onS3: readonly Measured[], inFolder: readonly Measured[]): void {
  const line = (name: string, of: (one: Measured) => number, digits: number): string => {
    const [a, b] = [median(onS3.map(of)), median(inFolder.map(of))];
    return `${name.padEnd(14)}${a.toFixed(digits).padStart(10)}${b.toFixed(digits).padStart(10)}${(a / b).toFixed(2).padStart(8)}\n`;
  };
  const lines = STEPS.map((step) => line(`${step} s`, ({ seconds }) => seconds[step] ?? Number.NaN, 2));
  process.stdout.write(
    `\n${Number(rows).toLocaleString('en')} rows, ${values.trees} trees, depth ${values.depth}, median of ${values.repeat}\n${' '.repeat(14)}        S3    folder   ratio\n${lines.join('')}${line('peak MB', ({ peakMB }) => peakMB, 0)}`,
  );
}
