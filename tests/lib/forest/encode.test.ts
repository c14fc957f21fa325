import { encodeColumns, type ModelFeature, recodeMatrix } from '../../../lib/forest/index.ts';
import { numeric } from './example.ts';

const age: ModelFeature = { name: 'age', kind: 'numeric' };
const city = (...categories: string[]): ModelFeature => ({ name: 'city', kind: 'categorical', categories });

describe('encodeColumns', () => {
  it('finds columns by name, categories by text, and gives NaN for what is missing or unknown', () => {
    const columns = [
      {
        name: 'city',
        kind: 'categorical' as const,
        codes: Int32Array.of(0, 1, 2, -1),
        categories: ['Oslo', 'Rome', 'Bonn'],
      },
      numeric('other', [0, 0, 0, 0]),
      numeric('age', [1.1, 2, Number.NaN, 4]),
    ];
    const { rows, matrix } = encodeColumns([age, city('Bonn', 'Oslo')], columns);
    expect(rows).toBe(4);
    expect([...matrix]).toEqual([Math.fround(1.1), 1, 2, Number.NaN, Number.NaN, 0, 4, Number.NaN]);
    const some = encodeColumns([city('Bonn', 'Oslo'), age], columns, Uint32Array.of(2, 0));
    expect([...some.matrix]).toEqual([0, Number.NaN, 1, Math.fround(1.1)]);
  });
});

describe('recodeMatrix', () => {
  it("makes one model's matrix fit another whose features and categories stand in another order", () => {
    const from = [age, city('Rome', 'Bonn', 'Oslo')];
    const matrix = Float32Array.of(1, 0, 2, 1, Number.NaN, 2, 4, Number.NaN);
    const recoded = recodeMatrix(matrix, from, [city('Oslo', 'Rome'), age]);
    expect([...recoded]).toEqual([1, 1, Number.NaN, 2, 0, Number.NaN, Number.NaN, 4]);
    expect(recodeMatrix(matrix, from, from)).toEqual(matrix);
  });

  it.each<[string, ModelFeature[], number[], string]>([
    ['a feature is absent', [age], [1, 2], 'needs a column "city"'],
    ['a feature is of the other kind', [age, { name: 'city', kind: 'numeric' }], [1, 2], 'is numeric'],
    ['the matrix has another width', [age, city('Oslo')], [1, 0, 2], 'not made of rows of 2'],
    ['a code has no category', [age, city('Oslo')], [1, 5], 'has code 5'],
  ])('refuses where %s', (_, from, matrix, message) => {
    const recode = () => recodeMatrix(Float32Array.from(matrix), from, [city('Oslo')]);
    expect(recode).toThrow(expect.objectContaining({ code: 'FOREST_INVALID_DATA' }));
    expect(recode).toThrow(message);
  });
});
