import { csvLine } from '../../../lib/cli/csv.ts';
import { bytes, count } from '../../../lib/cli/figures.ts';
import { tableLines } from '../../../lib/cli/text-table.ts';
import { jsonLine } from '../../../lib/duckdb/json.ts';

describe('JSON of the command line', () => {
  it.each([
    [9007199254740991n, '9007199254740991'],
    [9007199254740993n, '"9007199254740993"'],
    [-9223372036854775808n, '"-9223372036854775808"'],
    [Number.NaN, '"NaN"'],
    [Number.NEGATIVE_INFINITY, '"-Infinity"'],
    [Uint8Array.of(0, 255), '"AP8="'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [null, 'null'],
    [{ a: [1n, { b: undefined, c: '1.50' }] }, '{"a":[1,{"c":"1.50"}]}'],
    [new Map([['k', 1n]]), '{"k":1}'],
    [new Map([[1, 'x']]), '[{"key":1,"value":"x"}]'],
  ])('writes %p as %s', (value, expected) => {
    expect(jsonLine(value)).toBe(expected);
  });
});

describe('CSV', () => {
  it('quotes what needs it and tells an empty text from null', () => {
    expect(csvLine(['a', 'b,c', 'say "x"', 'two\nlines', '', null, 5n, true, [1, 2]])).toBe(
      'a,"b,c","say ""x""","two\nlines","",,5,true,"[1,2]"',
    );
  });
});

describe('a table', () => {
  it('aligns columns, numbers to the right, wide characters by their width', () => {
    const rows = [
      { name: '日本', n: 5 },
      { name: 'é', n: 12345n },
    ];
    expect(tableLines(['name', 'n'], rows)).toEqual(['name      n', '────  ─────', '日本      5', 'é     12345']);
  });

  it('lets no control character through, and cuts long cells', () => {
    const [, , line = ''] = tableLines(['a'], [{ a: `\u001b[2J\n${'x'.repeat(500)}` }]);
    expect(line).toMatch(/^\\u001b\[2J\\nx+…$/);
    expect(line.length).toBeLessThan(80);
  });
});

describe('figures', () => {
  it('are grouped and have a unit', () => {
    expect([count(1234567), bytes(1023), bytes(1536), bytes(3 * 1024 ** 3)]).toEqual([
      '1,234,567',
      '1023 B',
      '1.5 KiB',
      '3.0 GiB',
    ]);
  });
});
