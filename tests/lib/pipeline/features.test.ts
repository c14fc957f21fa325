import { createHash } from 'node:crypto';
import { purchases } from '../../../datasets/purchases/index.ts';
import { DuckDBEngine } from '../../../lib/duckdb/engine.ts';
import type { Dataset } from '../../../lib/pipeline/dataset.ts';
import { readFeatures } from '../../../lib/pipeline/features.ts';
import { SPLITS } from '../../../lib/pipeline/held-out.ts';

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

  it('numbers thousands of categories, those with quotes and line ends among them', async () => {
    await engine.run(`CREATE OR REPLACE TEMP VIEW silver AS
      SELECT 'P' || i AS id, i::DOUBLE AS n, 'it''s\n' || i AS "odd ""name""", true AS flag, i AS y FROM range(12000) t(i)`);
    const [, column] = (await readFeatures(engine, dataset)).columns;
    if (column?.kind !== 'categorical') throw new Error('not categorical');
    expect(column.categories).toHaveLength(12000);
    expect([0, 11999].map((row) => column.categories[column.codes[row] ?? -1])).toEqual(["it's\n0", "it's\n11999"]);
  });
});

describe('holding rows out', () => {
  const split: Dataset = {
    ...dataset,
    model: { ...dataset.model, timeColumn: 'at', groupColumn: 'owner' },
  };

  /** 3,000 rows of 200 owners, in no order of time; every 50th row has neither owner nor time. */
  beforeEach(() =>
    engine.run(`CREATE OR REPLACE TEMP VIEW silver AS
      SELECT 'P' || i AS id, i::DOUBLE AS n, 'x' AS "odd ""name""", true AS flag, i AS y,
        CASE WHEN i % 50 <> 0 THEN 'C' || (i * 7 % 200) END AS owner,
        CASE WHEN i % 50 <> 0 THEN TIMESTAMP '2024-01-01' + to_hours(i * 37 % 1000) END AS at
      FROM range(3000) t(i)`),
  );

  /** A column of silver's rows, in their order. */
  async function valuesOf(column: string): Promise<unknown[]> {
    return (await engine.rows(`SELECT ${column} AS value FROM silver`)).map(({ value }) => value);
  }

  it('by customer leaves nobody on both sides, and learns from rows of nobody', async () => {
    const owners = await valuesOf('owner');
    const { train, heldOut } = await readFeatures(engine, split, 'customer');
    const learnt = new Set([...train].map((row) => owners[row]));
    const scored = new Set([...heldOut].map((row) => owners[row]));
    expect([...scored].filter((owner) => learnt.has(owner))).toEqual([]);
    expect(learnt.has(null)).toBe(true);
    expect(train.length + heldOut.length).toBe(3000);
    expect(heldOut.length).toBeGreaterThan(400);
  });

  it('by time holds out the latest fifth: every row is later than all that is learnt from', async () => {
    const times = (await valuesOf('epoch("at")')).map((value) => (typeof value === 'number' ? value : Number.NaN));
    const { train, heldOut } = await readFeatures(engine, split, 'time');
    const known = [...train].map((row) => times[row] ?? 0).filter((time) => !Number.isNaN(time));
    expect(Math.min(...[...heldOut].map((row) => times[row] ?? 0))).toBeGreaterThan(Math.max(...known));
    expect(heldOut.length).toBeGreaterThan(570);
    expect(heldOut.length).toBeLessThan(600);
  });

  it('by time still holds rows out where more than a fifth are of the last moment', async () => {
    await silver(`('a', 1, 'x', true, 1)`, `('b', 2, 'x', true, 2)`, `('c', 2, 'x', true, 3)`);
    const { heldOut } = await readFeatures(engine, { ...split, model: { ...split.model, timeColumn: 'n' } }, 'time');
    expect([...heldOut]).toEqual([1, 2]);
  });

  it('tells the rows that are learnt from as SQL', async () => {
    for (const how of SPLITS) {
      const { train, predicate } = await readFeatures(engine, split, how);
      expect(await engine.rows(`SELECT count(*)::INTEGER AS n FROM silver WHERE ${predicate}`)).toEqual([
        { n: train.length },
      ]);
    }
  });

  it('refuses a split for which the dataset names no column', async () => {
    const { timeColumn: _, ...model } = split.model;
    await expect(readFeatures(engine, { ...split, model }, 'time')).rejects.toMatchObject({
      code: 'SPLIT_NOT_POSSIBLE',
    });
  });
});
