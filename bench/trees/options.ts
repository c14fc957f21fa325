import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PYTHON } from '../process.ts';
import type { Side } from './compare.ts';
import { makeTrainingFiles } from './training-files.ts';

/** What the command lines of the benches of models have in common. */
export interface BenchOptions {
  readonly rows: readonly number[];
  readonly seeds: number;
  readonly trees: number;
  readonly predict: number;
  readonly peers: readonly Side[];
  /** Which growths to compare, by name; all of them where absent. */
  readonly only: string | undefined;
  readonly python: string;
  /** A folder in which training files are kept from one bench to the next; one for this bench alone where absent. */
  readonly data: string | undefined;
}

/**
 * Reads `--rows N,N --seeds N --trees N --predict N --peers A,B --only NAME --data FOLDER --python PROGRAM`.
 *
 * @param known all peers, by the models that they are asked for
 * @throws Error for an option or a peer that is unknown
 */
export function benchOptions(known: readonly Side[]): BenchOptions {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '100000,1000000' },
      seeds: { type: 'string', default: '5' },
      trees: { type: 'string', default: '100' },
      predict: { type: 'string', default: '1000000' },
      peers: { type: 'string', default: known.map(({ model }) => model).join(',') },
      only: { type: 'string' },
      data: { type: 'string' },
      python: { type: 'string', default: PYTHON },
    },
  });
  const named = values.peers === '' ? [] : values.peers.split(',');
  const unknown = named.find((name) => !known.some(({ model }) => model === name));
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is no peer; name some of ${known.map(({ model }) => model).join(', ')}`);
  }
  return {
    rows: values.rows.split(',').map(Number),
    seeds: Number(values.seeds),
    trees: Number(values.trees),
    predict: Number(values.predict),
    peers: known.filter(({ model }) => named.includes(model)),
    only: values.only,
    python: values.python,
    data: values.data,
  };
}

/** Makes the training files of so many rows, where `keep` has none yet, hands over their folder, and removes it again where it is not kept. */
export async function withTrainingFiles(
  rows: number,
  keep: string | undefined,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const home = keep ?? (await mkdtemp(join(tmpdir(), 'lakelet-bench-')));
  const folder = join(home, String(rows));
  try {
    await makeTrainingFiles(folder, rows);
    process.stdout.write(`\n${rows.toLocaleString('en')} rows delivered`);
    await use(folder);
  } finally {
    if (keep === undefined) await rm(home, { recursive: true, force: true });
  }
}
