import { describe, expect, test } from '@jest/globals';
import type { Literal, Predicate } from '../../../../lib/delta/expr/predicate.ts';
import { type FileFacts, mayMatch } from '../../../../lib/delta/expr/skipping.ts';
import type { DataType, StructField, StructType } from '../../../../lib/delta/schema/types.ts';

const field = (name: string, type: DataType, metadata: StructField['metadata'] = {}): StructField => ({
  name,
  type,
  nullable: true,
  metadata,
});

const schema: StructType = {
  type: 'struct',
  fields: [
    field('i', 'integer'),
    field('l', 'long'),
    field('f', 'float'),
    field('d', 'double'),
    field('widened', 'double', { 'delta.typeChanges': [{ fromType: 'float', toType: 'double' }] }),
    field('dec', 'decimal(10,2)'),
    field('big', 'decimal(38,4)'),
    field('s', 'string'),
    field('b', 'boolean'),
    field('day', 'date'),
    field('ts', 'timestamp'),
    field('ntz', 'timestamp_ntz'),
    field('bin', 'binary'),
    field('st', { type: 'struct', fields: [field('x', 'integer'), field('in.ner', 'string')] }),
    field('list', { type: 'array', elementType: 'integer', containsNull: true }),
    field('renamed', 'integer', { 'delta.columnMapping.physicalName': 'col-7' }),
    field('p', 'string'),
  ],
};

type Op = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'eqNullSafe';
const compare = (column: string, op: Op, value: Literal): Predicate => ({ op, column: [column], value });
const not = (child: Predicate): Predicate => ({ op: 'not', child });
const and = (...children: Predicate[]): Predicate => ({ op: 'and', children });
const or = (...children: Predicate[]): Predicate => ({ op: 'or', children });
const unknown: Predicate = { op: 'unknown' };

/** A file of ten rows whose column lies between min and max. */
const range = (column: string, min: unknown, max: unknown, nulls = 0): FileFacts => ({
  partitionValues: {},
  stats: { numRecords: 10, minValues: { [column]: min }, maxValues: { [column]: max }, nullCount: { [column]: nulls } },
});

const kept = (predicate: Predicate, file: FileFacts, partitionColumns: string[] = []) =>
  mayMatch(predicate, file, schema, partitionColumns);

describe('comparisons with statistics', () => {
  test.each<[Op, Literal, boolean]>([
    ['eq', 9, false],
    ['eq', 10, true],
    ['eq', 15n, true],
    ['eq', '20', true],
    ['eq', '20.0', true],
    ['eq', 21n, false],
    ['eq', '15.5', true],
    ['ne', 15, true],
    ['lt', 10, false],
    ['lt', '10.01', true],
    ['lt', 11, true],
    ['le', 9.5, false],
    ['le', 10, true],
    ['gt', 20, false],
    ['gt', '19.99', true],
    ['gt', 19.5, true],
    ['gt', 20.5, false],
    ['ge', 20, true],
    ['ge', 21, false],
    ['eqNullSafe', 9, false],
    ['eqNullSafe', 12, true],
    ['eqNullSafe', null, false],
    ['eq', null, false],
    ['lt', 'ten', true],
    ['lt', false, true],
  ])('an integer from 10 to 20 with %s %p is kept: %p', (op, value, expected) => {
    expect(kept(compare('i', op, value), range('i', 10, 20))).toBe(expected);
  });

  test('a negated comparison is dropped where every row is true, and kept where one is not', () => {
    expect(kept(not(compare('i', 'le', 20)), range('i', 10, 20))).toBe(false);
    expect(kept(not(compare('i', 'le', 19)), range('i', 10, 20))).toBe(true);
    expect(kept(compare('i', 'ne', 7), range('i', 7, 7))).toBe(false);
    expect(kept(not(compare('i', 'le', 20)), range('i', 10, 20, 3))).toBe(false);
  });

  test('a file without rows, or with other columns’ statistics, or none', () => {
    expect(kept(unknown, { partitionValues: {}, stats: { numRecords: 0 } })).toBe(false);
    expect(kept(compare('l', 'eq', 1), range('i', 10, 20))).toBe(true);
    expect(kept(compare('i', 'eq', 1), { partitionValues: {} })).toBe(true);
    expect(kept(compare('missing', 'eq', 1), range('i', 10, 20))).toBe(true);
  });

  test('bounds that are upside down say nothing', () => {
    expect(kept(compare('i', 'eq', 15), range('i', 20, 10))).toBe(true);
  });

  test('a list is dropped where all its values lie beside the file', () => {
    const within = (...values: Literal[]): Predicate => ({ op: 'in', column: ['i'], values });
    const file = range('i', 10, 20);
    expect(kept(within(1, 5, 9, 21, 30), file)).toBe(false);
    expect(kept(within(30, 15, 1), file)).toBe(true);
    expect(kept(within(1, null), file)).toBe(false);
    expect(kept(within(), file)).toBe(false);
    expect(kept(not(within(1, 2)), file)).toBe(true);
    expect(kept(not(within(1, null)), file)).toBe(false);
    expect(kept(not(within(7, 3)), range('i', 7, 7))).toBe(false);
  });

  test('between', () => {
    const between = (lower: Literal, upper: Literal): Predicate => ({ op: 'between', column: ['i'], lower, upper });
    expect(kept(between(1, 9), range('i', 10, 20))).toBe(false);
    expect(kept(between(1, 10), range('i', 10, 20))).toBe(true);
    expect(kept(not(between(10, 20)), range('i', 10, 20))).toBe(false);
    expect(kept(not(between(10, 19)), range('i', 10, 20))).toBe(true);
    expect(kept(not(between(null, 5)), range('i', 1, 5))).toBe(false);
    expect(kept(not(between(null, 4)), range('i', 1, 5))).toBe(true);
  });
});

describe('and, or, not and what is unknown', () => {
  const file = range('i', 10, 20);
  const never = compare('i', 'lt', 0);
  const always = compare('i', 'ge', 0);

  test('one part that is never true drops a conjunction, and all parts a disjunction', () => {
    expect(kept(and(unknown, never), file)).toBe(false);
    expect(kept(or(unknown, never), file)).toBe(true);
    expect(kept(or(never, never), file)).toBe(false);
    expect(kept(not(or(unknown, always)), file)).toBe(false);
    expect(kept(not(and(unknown, always)), file)).toBe(true);
    expect(kept(not(unknown), file)).toBe(true);
    expect(kept(and(), file)).toBe(true);
    expect(kept(or(), file)).toBe(false);
  });
});

describe('nulls', () => {
  const isNull: Predicate = { op: 'isNull', column: ['i'] };
  const isNotNull: Predicate = { op: 'isNotNull', column: ['i'] };

  test.each<[number | undefined, boolean, boolean]>([
    [0, false, true],
    [4, true, true],
    [10, true, false],
    [undefined, true, true],
  ])('%p nulls of ten rows: is null %p, is not null %p', (nulls, whereNull, whereNotNull) => {
    for (const tightBounds of [true, false]) {
      const file: FileFacts = {
        partitionValues: {},
        stats: { numRecords: 10, tightBounds, ...(nulls === undefined ? {} : { nullCount: { i: nulls } }) },
      };
      expect(kept(isNull, file)).toBe(whereNull);
      expect(kept(isNotNull, file)).toBe(whereNotNull);
      expect(kept(not(isNull), file)).toBe(whereNotNull);
      expect(kept(compare('i', 'gt', 0), file)).toBe(whereNotNull);
      expect(kept(not(compare('i', 'gt', 0)), file)).toBe(whereNotNull);
      expect(kept(compare('i', 'eqNullSafe', null), file)).toBe(whereNull);
      expect(kept(not(compare('i', 'eqNullSafe', 3)), file)).toBe(true);
    }
  });

  test('a nested column is found by its path, and a struct has no null count', () => {
    const file: FileFacts = {
      partitionValues: {},
      stats: { numRecords: 10, minValues: { st: { x: 5 } }, maxValues: { st: { x: 6 } }, nullCount: { st: { x: 0 } } },
    };
    expect(kept({ op: 'eq', column: ['st', 'x'], value: 4 }, file)).toBe(false);
    expect(kept({ op: 'isNull', column: ['st', 'x'] }, file)).toBe(false);
    expect(kept({ op: 'isNull', column: ['st'] }, file)).toBe(true);
    expect(kept({ op: 'eq', column: ['st', 'in.ner'], value: 'a' }, file)).toBe(true);
  });

  test('a column with a physical name is looked up by that', () => {
    expect(kept(compare('renamed', 'eq', 4), range('col-7', 5, 6))).toBe(false);
    expect(kept(compare('renamed', 'eq', 4), range('renamed', 5, 6))).toBe(true);
  });
});

describe('types', () => {
  test.each<[string, unknown, unknown, Op, Literal, boolean]>([
    // UTF-8 order, in which U+10000 comes after U+FF5E; UTF-16 has it before
    ['s', 'a', '\u{10000}', 'ge', '\uff5e', true],
    ['s', '\u{10000}', '\u{10000}', 'le', '\uff5e', false],
    ['s', 'b', 'd', 'eq', 'a', false],
    ['s', 'b', 'd', 'gt', 'd', false],
    ['s', 'b', 'd\ufffd', 'ge', 'd\u{1f600}', true],
    ['s', 'b', 'd\u{10ffff}', 'gt', 'e', false],
    ['s', 'b', 'd\ud83d', 'ge', 'd\u{1f600}', true],
    ['s', 'b', 'd', 'eq', 5, true],
    // beyond 2^53 a JSON number may have been rounded
    ['l', 9007199254740993n, 9007199254740993n, 'eq', 9007199254740992n, false],
    ['l', 9007199254740992, 9007199254740992, 'eq', 9007199254740993n, true],
    ['l', 0, 9223372036854776000, 'eq', 9223372036854775807n, true],
    ['l', 0, 5, 'lt', -9223372036854775808n, false],
    ['l', 9007199254740993n, 9007199254740993n, 'eq', 9007199254740992, true],
    ['l', 1, 5, 'gt', 1e300, false],
    // NaN may be in any file and is above all numbers
    ['d', 1, 2, 'gt', 5, true],
    ['d', 1, 2, 'eq', 5, false],
    ['d', 1, 2, 'eq', Number.NaN, true],
    ['d', 1, 2, 'lt', 1, false],
    ['d', 1, 1, 'ne', 1, true],
    ['d', 1, 2, 'gt', Number.NaN, false],
    ['d', 0, 0, 'eq', -0, true],
    ['d', -0, -0, 'lt', 0, false],
    ['d', 0, 0, 'ge', -0, true],
    ['d', 'NaN', 'NaN', 'lt', 1, true],
    ['d', '-Infinity', 'Infinity', 'lt', -1e308, true],
    ['d', 0.1, 0.1, 'eq', 0.2, false],
    ['f', 0.1, 0.1, 'eq', 0.10000000149011612, true],
    ['f', 0.1, 0.1, 'lt', 0.1, true],
    ['f', 0.1, 0.1, 'lt', 0.09, false],
    ['widened', 0.1, 0.1, 'gt', 0.1, true],
    ['widened', 0.1, 0.1, 'eq', 0.10000000149011612, true],
    ['dec', 1.1, 2.2, 'eq', '1.09', false],
    ['dec', 1.1, 2.2, 'eq', '1.1', true],
    ['dec', 1.1, 2.2, 'gt', '2.2', false],
    ['dec', 1.1, 2.2, 'gt', '2.1999', true],
    ['dec', '1.10', '2.20', 'lt', '1.1000001', true],
    ['dec', 1.1, 2.2, 'eq', 1.1, true],
    ['dec', 1.1, 2.2, 'lt', 1, false],
    ['dec', -2.2, -1.1, 'lt', '-2.2', false],
    ['dec', -2.2, -1.1, 'lt', '-2.19', true],
    [
      'big',
      JSON.parse('12345678901234567890.1234'),
      JSON.parse('12345678901234567890.1234'),
      'eq',
      '12345678901234567890.1234',
      true,
    ],
    [
      'big',
      '1234567890123456789012345678901234.5678',
      '1234567890123456789012345678901234.5678',
      'eq',
      '1234567890123456789012345678901234.5677',
      false,
    ],
    ['b', false, false, 'eq', true, false],
    ['b', false, true, 'eq', true, true],
    ['b', undefined, undefined, 'eq', true, true],
    ['day', '2024-02-29', '2024-03-01', 'eq', '2024-03-02', false],
    ['day', '2024-02-29', '2024-03-01', 'lt', '2024-02-29', false],
    ['day', '2024-02-29', '2024-03-01', 'gt', '2024-02-29T12:00:00', true],
    ['day', '2024-02-29', '2024-03-01', 'gt', '2024-03-01T00:00:00.000001', false],
    ['day', '0050-01-01', '0050-12-31', 'ge', '1900-01-01', false],
    ['day', '2024-02-29', '2024-03-01', 'eq', '2024-02-30', true],
    // a maximum is cut to milliseconds
    ['ts', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:01.123Z', 'ge', '2024-01-01T00:00:01.123999Z', true],
    ['ts', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:01.123Z', 'ge', '2024-01-01T00:00:01.125Z', false],
    ['ts', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:01.123Z', 'lt', '2024-01-01T00:00:00Z', false],
    ['ts', '2024-01-01T00:00:00.000-08:00', '2024-01-01T00:00:01.000-08:00', 'lt', '2024-01-01T07:00:00Z', false],
    ['ts', '2024-01-01T00:00:00.000', '2024-01-01T00:00:01.000', 'eq', '2020-01-01T00:00:00Z', true],
    ['ts', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:01.000Z', 'eq', '2020-01-01T00:00:00', true],
    ['ts', '1960-01-01T00:00:00.001Z', '1960-01-01T00:00:01.000Z', 'lt', '1960-01-01T00:00:00.0005Z', true],
    ['ntz', '2024-01-01T00:00:00.000', '2024-01-01T00:00:01.123', 'gt', '2024-01-01T00:00:01.124', false],
    ['ntz', '2024-01-01', '2024-01-02', 'gt', '2024-01-03T00:00:00', false],
    ['bin', 'a', 'b', 'eq', 'c', true],
    ['list', 1, 2, 'eq', 3, true],
  ])('%s from %p to %p with %s %p is kept: %p', (column, min, max, op, value, expected) => {
    expect(kept(compare(column, op, value), range(column, min, max))).toBe(expected);
  });

  test.each<[string, unknown, unknown, boolean, boolean]>([
    ['ab', 'aa', 'aczz', true, true],
    ['ab', 'ac', 'ad', false, true],
    ['ab', 'a', 'aa', false, true],
    ['ab', 'abc', 'abd', true, false],
    ['ab', undefined, undefined, true, true],
    ['\u{1f600}', 'a', 'b', false, true],
    ['d\u{1f600}', 'b', 'd\ufffd', true, true],
    ['', 'a', 'b', true, false],
  ])('strings that begin with %p from %p to %p: kept %p, negated %p', (prefix, min, max, expected, negated) => {
    const begins: Predicate = { op: 'startsWith', column: ['s'], prefix };
    expect(kept(begins, range('s', min, max))).toBe(expected);
    expect(kept(not(begins), range('s', min, max))).toBe(negated);
  });

  test('a prefix of what is no string keeps the file', () => {
    expect(kept({ op: 'startsWith', column: ['i'], prefix: '9' }, range('i', 1, 2))).toBe(true);
  });
});

describe('partition values', () => {
  test.each<[string, string | null, Op, Literal, boolean]>([
    ['i', '5', 'eq', 5, true],
    ['i', '5', 'eq', 6, false],
    ['i', '5', 'ne', 5, false],
    ['i', '', 'eq', 5, false],
    ['i', null, 'ne', 5, false],
    ['i', null, 'eqNullSafe', null, true],
    ['i', '', 'eqNullSafe', null, true],
    ['i', '5', 'eqNullSafe', null, false],
    ['i', 'five', 'eq', 5, true],
    ['l', '9223372036854775807', 'gt', 9223372036854775806n, true],
    ['l', '9223372036854775807', 'gt', 9223372036854775807n, false],
    ['dec', '1.50', 'eq', '1.5', true],
    ['dec', '1.50', 'gt', '1.5', false],
    ['d', 'NaN', 'gt', 5, true],
    ['d', 'NaN', 'le', 5, false],
    ['d', '1.5', 'gt', 5, false],
    ['d', '-0.0', 'eq', 0, true],
    ['d', '-Infinity', 'lt', -1e308, true],
    ['s', 'b', 'gt', 'b', false],
    ['b', 'true', 'eq', true, true],
    ['b', 'false', 'eq', true, false],
    ['day', '2024-01-01', 'ge', '2024-01-02', false],
    ['ts', '2024-01-01 00:00:00.5', 'eq', '2024-01-01T00:00:00.500000Z', true],
    ['ts', '2024-01-01T00:00:00.123456Z', 'eq', '2024-01-01T01:00:00.123456+01:00', true],
    ['ts', '2024-01-01T00:00:00.123456Z', 'gt', '2024-01-01T00:00:00.123456Z', false],
    ['ntz', '2024-01-01 00:00:00', 'lt', '2024-01-01T00:00:00', false],
  ])('%s = %p with %s %p is kept: %p', (column, value, op, literal, expected) => {
    expect(kept(compare(column, op, literal), { partitionValues: { [column]: value } }, [column])).toBe(expected);
  });

  test('a partition value that is missing keeps the file', () => {
    expect(kept(compare('p', 'eq', 'a'), { partitionValues: {} }, ['p'])).toBe(true);
    expect(kept(compare('renamed', 'eq', 4), { partitionValues: { 'col-7': '5' } }, ['renamed'])).toBe(false);
  });
});
