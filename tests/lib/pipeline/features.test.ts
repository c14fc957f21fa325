import { createHash } from 'node:crypto';
import { purchases } from '../../../datasets/purchases/index.ts';
import { DuckDBEngine } from '../../../lib/duckdb/engine.ts';
import type { Dataset } from '../../../lib/pipeline/dataset.ts';
import { readFeatures } from '../../../lib/pipeline/features.ts';

const dataset: Dataset = {
  ...purchases,
  identity: { key: 'id', updatedAt: 'at' },
  model: {
    name: 'm',
    target: 'y',
    features: [
      { name: 'n', kind: 'numeric' },
      { name: 'odd "name"', kind: 'categorical' },
      { name: 'flag', kind: 'numeric' },
    ],
  },
};

let engine: DuckDBEngine;
beforeEach(async () => {
  engine = await DuckDBEngine.open();
});
afterEach(() => engine.close());

/** A view `silver` of some rows: id, n, category, flag, y as SQL. */
function silver(...rows: string[]): Promise<void> {
  const columns = 'id, n, "odd ""name""", flag, y';
  return engine.run(`CREATE OR REPLACE TEMP VIEW silver AS SELECT * FROM (VALUES ${rows.join(', ')}) AS t(${columns})`);
}

describe('reading features', () => {
  it('fills typed arrays in the order of the rows, missing numbers as NaN, missing categories as -1', async () => {
    await silver(
      `('a', 1, 'it''s', true, 10.5)`,
      `('b', NULL, NULL, false, 11)`,
      `('c', 3, 'Ä', NULL, 12)`,
      `('d', 4, '', true, 13)`,
    );
    const { columns, target } = await readFeatures(engine, dataset);
    expect(columns).toEqual([
      { name: 'n', kind: 'numeric', values: Float64Array.of(1, Number.NaN, 3, 4) },
      { name: 'odd "name"', kind: 'categorical', categories: ['', "it's", 'Ä'], codes: Int32Array.of(1, -1, 2, 0) },
      { name: 'flag', kind: 'numeric', values: Float64Array.of(1, 0, Number.NaN, 1) },
    ]);
    expect(target).toEqual(Float64Array.of(10.5, 11, 12, 13));
  });

  it('leaves out rows whose target is missing or no number', async () => {
    await silver(`('a', 1, 'x', true, 1::DOUBLE)`, `('b', 2, 'y', true, NULL)`, `('c', 3, 'x', true, 'NaN'::DOUBLE)`);
    const { target, columns } = await readFeatures(engine, dataset);
    expect(target).toEqual(Float64Array.of(1));
    expect(columns[0]).toMatchObject({ values: Float64Array.of(1) });
  });

  it('takes a column without any category, and a table without rows', async () => {
    await silver(`('a', 1, NULL::VARCHAR, true, 1)`);
    expect((await readFeatures(engine, dataset)).columns[1]).toMatchObject({
      categories: [],
      codes: Int32Array.of(-1),
    });
    await engine.run(
      'CREATE OR REPLACE TEMP VIEW silver AS SELECT NULL::VARCHAR AS id, NULL::DOUBLE AS n, NULL::VARCHAR AS "odd ""name""", NULL::BOOLEAN AS flag, NULL::DOUBLE AS y WHERE false',
    );
    expect(await readFeatures(engine, dataset)).toMatchObject({ target: new Float64Array(), train: new Uint32Array() });
  });

  it('holds out a fifth of the rows, chosen by the MD5 of their key alone', async () => {
    const ids = Array.from({ length: 5000 }, (_, at) => `P${at}`);
    await silver(...ids.map((id) => `('${id}', 1, 'x', true, 1)`));
    const { train, heldOut } = await readFeatures(engine, dataset);
    const expected = ids.flatMap((id, row) =>
      createHash('md5').update(id).digest().readUInt32BE(0) % 5 === 0 ? [row] : [],
    );
    expect([...heldOut]).toEqual(expected);
    expect(heldOut.length).toBeGreaterThan(900);
    expect([...train, ...heldOut].sort((a, b) => a - b)).toEqual(ids.map((_, row) => row));
  });
});
