/**
 * What models are trained on, as plain files that both sides of a bench load alike: a column a file, as the bytes of a
 * typed array of this machine, and `table.json`, which lists them.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { purchases } from '../../datasets/purchases/index.ts';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { DuckDBEngine } from '../../lib/duckdb/engine.ts';
import type { FeatureColumn } from '../../lib/forest/index.ts';
import { readFeatures } from '../../lib/pipeline/features.ts';
import { measured, ROOT } from '../process.ts';

/** Columns with their target, and which rows are learnt from and scored on. */
export interface TrainingFiles {
  readonly columns: readonly FeatureColumn[];
  readonly target: Float64Array;
  readonly train: Uint32Array;
  readonly heldOut: Uint32Array;
}

/** Written last. */
const LIST = 'table.json';

type Listed = { readonly name: string; readonly categories?: readonly string[] };

/**
 * Runs the pipeline over so many rows in `folder/lake`, and writes the features of the silver rows that it makes to
 * `folder`; where they are there already, they stay.
 */
export async function makeTrainingFiles(folder: string, rows: number): Promise<void> {
  if (existsSync(join(folder, LIST))) return;
  await mkdir(folder, { recursive: true });
  await measured(process.execPath, [join(ROOT, 'bench', 'lakelet_run.ts'), String(rows), '1', '1', folder]);
  const engine = await DuckDBEngine.open();
  try {
    await engine.view('silver', await DeltaTable.open(join(folder, 'lake', 'silver', 'purchases'), { engine }));
    await write(folder, await readFeatures(engine, purchases));
  } finally {
    engine.close();
  }
}

async function write(folder: string, { columns, target, train, heldOut }: TrainingFiles): Promise<void> {
  const files: Record<string, ArrayBufferView> = { target, train, held_out: heldOut };
  for (const [at, column] of columns.entries()) files[at] = column.kind === 'numeric' ? column.values : column.codes;
  for (const [name, values] of Object.entries(files)) {
    await writeFile(join(folder, `${name}.bin`), new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const listed: Listed[] = columns.map((column) =>
    column.kind === 'numeric' ? { name: column.name } : { name: column.name, categories: column.categories },
  );
  await writeFile(join(folder, LIST), JSON.stringify(listed));
}

/** Loads what {@link makeTrainingFiles} wrote. */
export async function loadTrainingFiles(folder: string): Promise<TrainingFiles> {
  const listed: Listed[] = JSON.parse(await readFile(join(folder, LIST), 'utf8'));
  const load = async (name: string): Promise<ArrayBuffer> => {
    const bytes = await readFile(join(folder, `${name}.bin`));
    return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
      ? (bytes.buffer as ArrayBuffer)
      : Uint8Array.from(bytes).buffer;
  };
  const columns: FeatureColumn[] = [];
  for (const [at, { name, categories }] of listed.entries()) {
    const buffer = await load(String(at));
    columns.push(
      categories === undefined
        ? { name, kind: 'numeric', values: new Float64Array(buffer) }
        : { name, kind: 'categorical', categories, codes: new Int32Array(buffer) },
    );
  }
  return {
    columns,
    target: new Float64Array(await load('target')),
    train: new Uint32Array(await load('train')),
    heldOut: new Uint32Array(await load('held_out')),
  };
}
