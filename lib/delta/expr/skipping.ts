import type { StructType } from '../schema/types.ts';
import { type Column, countOf, type FileFacts, findColumn } from './columns.ts';
import { prefixTest, rangeTest, type ValueTest } from './compare.ts';
import { ANY, both, either, FALSE, may, NONE, NULL, negated, type Outcomes, TRUE } from './outcomes.ts';
import type { ComparisonOp, Literal, Predicate } from './predicate.ts';

export type { FileFacts } from './columns.ts';

type Test = (file: FileFacts) => Outcomes;

const KEEP: Test = () => ANY;

/**
 * False only where no row of the file can fulfil the predicate. On any doubt the file is kept: skipping changes which
 * files are read, never a result. For many files make the test once, with {@link fileFilter}.
 */
export function mayMatch(
  predicate: Predicate,
  file: FileFacts,
  schema: StructType,
  partitionColumns: readonly string[],
): boolean {
  return fileFilter(predicate, schema, partitionColumns)(file);
}

/**
 * {@link mayMatch} of one predicate on a table of this schema, as a function of the file.
 *
 * @param partitionColumns the table's, by their names in the schema
 */
export function fileFilter(
  predicate: Predicate,
  schema: StructType,
  partitionColumns: readonly string[],
): (file: FileFacts) => boolean {
  const test = testOf(predicate, (path) => findColumn(schema, partitionColumns, path));
  return (file) => countOf(file.stats?.numRecords) !== 0 && may(test(file), TRUE);
}

type Find = (path: readonly string[]) => Column | undefined;

function testOf(predicate: Predicate, find: Find): Test {
  switch (predicate.op) {
    case 'unknown':
      return KEEP;
    case 'not':
      return not(testOf(predicate.child, find));
    case 'and':
    case 'or': {
      const tests = predicate.children.map((child) => testOf(child, find));
      return predicate.op === 'and' ? all(tests) : any(tests);
    }
    default:
      return columnTest(predicate, find(predicate.column));
  }
}

type OfColumn = Extract<Predicate, { readonly column: unknown }>;

function columnTest(predicate: OfColumn, column: Column | undefined): Test {
  if (column === undefined) return KEEP;
  switch (predicate.op) {
    case 'isNull':
      return isNull(column);
    case 'isNotNull':
      return not(isNull(column));
    case 'startsWith':
      return ofValues(column, prefixTest(column.field, predicate.prefix));
    case 'in':
      return oneOf(column, predicate.values);
    case 'between':
      return all([comparison('ge', column, predicate.lower), comparison('le', column, predicate.upper)]);
    default:
      return comparison(predicate.op, column, predicate.value);
  }
}

function comparison(op: ComparisonOp, column: Column, value: Literal): Test {
  if (value === null) return op === 'eqNullSafe' ? isNull(column) : () => NULL;
  switch (op) {
    case 'eq':
      return oneOf(column, [value]);
    case 'ne':
      return not(oneOf(column, [value]));
    case 'eqNullSafe':
      return nullAsFalse(oneOf(column, [value]));
    case 'lt':
    case 'le':
      return ofValues(column, rangeTest(column.field, op, [value]));
    case 'gt':
      return not(comparison('le', column, value));
    case 'ge':
      return not(comparison('lt', column, value));
  }
}

/** `IN`: with a null among the values, what equals none of them is null instead of false. */
function oneOf(column: Column, values: readonly Literal[]): Test {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return values.length === 0 ? () => FALSE : () => NULL;
  const test = ofValues(column, rangeTest(column.field, 'in', known));
  return known.length === values.length ? test : any([test, () => NULL]);
}

/** A test of the values that are not null; a null makes the condition null. */
function ofValues(column: Column, test: ValueTest | undefined): Test {
  return (file) => {
    const facts = column.facts(file);
    if (facts === undefined) return ANY;
    const ofValue = !facts.mayHaveValue ? NONE : test === undefined ? TRUE | FALSE : test(facts.values);
    return ofValue | (facts.mayBeNull ? NULL : NONE);
  };
}

function isNull(column: Column): Test {
  return (file) => {
    const facts = column.facts(file);
    if (facts === undefined) return ANY;
    return (facts.mayBeNull ? TRUE : NONE) | (facts.mayHaveValue ? FALSE : NONE);
  };
}

function nullAsFalse(test: Test): Test {
  return (file) => {
    const outcomes = test(file);
    return (outcomes & (TRUE | FALSE)) | (may(outcomes, NULL) ? FALSE : NONE);
  };
}

function not(test: Test): Test {
  return (file) => negated(test(file));
}

function all(tests: readonly Test[]): Test {
  return (file) => tests.reduce((outcomes, test) => both(outcomes, test(file)), TRUE);
}

function any(tests: readonly Test[]): Test {
  return (file) => tests.reduce((outcomes, test) => either(outcomes, test(file)), FALSE);
}
