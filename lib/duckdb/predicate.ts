import type { DuckDBConnection } from '@duckdb/node-api';
import type { ColumnPath, ComparisonOp, Literal, Predicate } from '../delta/expr/predicate.ts';
import { type DataType, findField, type StructType } from '../delta/schema/types.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { childOf, childrenOf, type Expression, parseCondition, stringConstant, typeId } from './condition.ts';
import { type Constant, constantOf } from './constant.ts';
import { duckdbType, literalsOf } from './literal.ts';

const UNKNOWN: Predicate = { op: 'unknown' };

/** How DuckDB's comparisons are named here, and what each is when its sides change places. */
const COMPARISONS: Readonly<Record<string, readonly [ComparisonOp, ComparisonOp]>> = {
  COMPARE_EQUAL: ['eq', 'eq'],
  COMPARE_NOTEQUAL: ['ne', 'ne'],
  COMPARE_LESSTHAN: ['lt', 'gt'],
  COMPARE_LESSTHANOREQUALTO: ['le', 'ge'],
  COMPARE_GREATERTHAN: ['gt', 'lt'],
  COMPARE_GREATERTHANOREQUALTO: ['ge', 'le'],
  COMPARE_NOT_DISTINCT_FROM: ['eqNullSafe', 'eqNullSafe'],
};

/** Settings of {@link parsePredicate}. */
export interface PredicateOptions {
  /** The name by which the statement knows the table, so that `name.column` is one of its columns. */
  readonly table?: string;
}

/**
 * A SQL condition as a predicate that skips files, parsed by DuckDB. Column names are found whatever their case and
 * spelt as the schema does. What is not understood (functions, casts of a column, columns compared with one another,
 * subqueries, names that the schema has not, …) is `unknown`.
 *
 * @param connection one with the settings (TimeZone) of the connection that will run the statement
 * @param sql one condition, which may then stand in a statement as `(<sql>\n)`
 * @throws LakeletError `INVALID_PREDICATE`
 */
export async function parsePredicate(
  connection: DuckDBConnection,
  sql: string,
  schema: StructType,
  options: PredicateOptions = {},
): Promise<Predicate> {
  const translate = translator(connection, (node) => columnOf(node, schema, options.table));
  try {
    return await translate(await parseCondition(connection, sql));
  } catch (error) {
    if (error instanceof LakeletError) throw error;
    const reason = printable(messageOf(error).split('\n')[0] ?? '', 300);
    throw new LakeletError(
      'INVALID_PREDICATE',
      `The condition ${printable(sql, 200)} cannot be used: ${reason}. Correct the value that it names`,
      { cause: error },
    );
  }
}

/** A column that an expression is, without more. */
interface Column {
  readonly path: ColumnPath;
  readonly type: DataType;
}

function columnOf(node: Expression, schema: StructType, table: string | undefined): Column | undefined {
  switch (node.class) {
    case 'COLUMN_REF':
      return namedColumn(node.column_names, schema, table);
    case 'OPERATOR': {
      if (node.type !== 'STRUCT_EXTRACT' && node.type !== 'ARRAY_EXTRACT') return undefined;
      const [struct = {}, key = {}] = childrenOf(node);
      const name = stringConstant(key);
      const outer = columnOf(struct, schema, table);
      return outer && name !== undefined ? descend(outer, [name]) : undefined;
    }
    case 'CAST': {
      const inner = columnOf(childOf(node, 'child'), schema, table);
      return inner && duckdbType(inner.type) === typeId(node.cast_type) ? inner : undefined;
    }
    default:
      return undefined;
  }
}

function namedColumn(names: unknown, schema: StructType, table: string | undefined): Column | undefined {
  if (!Array.isArray(names)) return undefined;
  const path = names.map(String);
  const root: Column = { path: [], type: schema };
  const qualified = table !== undefined && path.length > 1 && path[0]?.toLowerCase() === table.toLowerCase();
  return (qualified ? descend(root, path.slice(1)) : undefined) ?? descend(root, path);
}

function descend(column: Column, names: readonly string[]): Column | undefined {
  let { path, type } = column;
  for (const name of names) {
    const field = typeof type !== 'string' && type.type === 'struct' ? findField(type, name) : undefined;
    if (field === undefined) return undefined;
    path = [...path, field.name];
    type = field.type;
  }
  return { path, type };
}

type Translate = (node: Expression) => Promise<Predicate>;

function translator(connection: DuckDBConnection, column: (node: Expression) => Column | undefined): Translate {
  const translate: Translate = async (node) => {
    switch (node.class) {
      case 'CONJUNCTION': {
        const children: Predicate[] = [];
        for (const child of childrenOf(node)) children.push(await translate(child));
        return { op: node.type === 'CONJUNCTION_AND' ? 'and' : 'or', children };
      }
      case 'COMPARISON':
        return comparison(node);
      case 'BETWEEN':
        return between(node);
      case 'OPERATOR':
        return operator(node);
      case 'FUNCTION':
        return stringFunction(node);
      default:
        return truth(node);
    }
  };

  /** Hands `make` the column and its constants, where all of them are understood. */
  const compared = async (
    left: Expression,
    right: readonly Expression[],
    make: (path: ColumnPath, values: readonly Literal[]) => Predicate,
  ): Promise<Predicate> => {
    const found = column(left);
    const constants = right.map(constantOf).filter((constant): constant is Constant => constant !== undefined);
    if (found === undefined || constants.length < right.length) return UNKNOWN;
    const values = await literalsOf(connection, found.type, constants);
    return values === undefined ? UNKNOWN : make(found.path, values);
  };

  const comparison = (node: Expression): Promise<Predicate> | Predicate => {
    const [left, right] = [childOf(node, 'left'), childOf(node, 'right')];
    if (node.type === 'COMPARE_DISTINCT_FROM')
      return negated(comparison({ ...node, type: 'COMPARE_NOT_DISTINCT_FROM' }));
    const ops = COMPARISONS[String(node.type)];
    if (ops === undefined) return UNKNOWN;
    const flipped = column(left) === undefined;
    const op = flipped ? ops[1] : ops[0];
    return compared(flipped ? right : left, [flipped ? left : right], (path, [value = null]) => ({
      op,
      column: path,
      value,
    }));
  };

  const between = (node: Expression): Promise<Predicate> =>
    compared(childOf(node, 'input'), [childOf(node, 'lower'), childOf(node, 'upper')], (path, values) => {
      const [lower = null, upper = null] = values;
      return { op: 'between', column: path, lower, upper };
    });

  const operator = async (node: Expression): Promise<Predicate> => {
    const [first = {}, ...others] = childrenOf(node);
    switch (node.type) {
      case 'OPERATOR_NOT':
        return negated(translate(first));
      case 'OPERATOR_IS_NULL':
      case 'OPERATOR_IS_NOT_NULL': {
        const found = column(first);
        if (found === undefined) return UNKNOWN;
        return { op: node.type === 'OPERATOR_IS_NULL' ? 'isNull' : 'isNotNull', column: found.path };
      }
      case 'COMPARE_IN':
        return compared(first, others, (path, values) => ({ op: 'in', column: path, values }));
      case 'COMPARE_NOT_IN':
        return negated(operator({ ...node, type: 'COMPARE_IN' }));
      default:
        return truth(node);
    }
  };

  /** `LIKE` and the functions that ask for a prefix. */
  const stringFunction = async (node: Expression): Promise<Predicate> => {
    const [left = {}, right = {}] = childrenOf(node);
    const [found, pattern] = [column(left), stringConstant(right)];
    if (found?.type !== 'string' || pattern === undefined || node.schema !== undefined) return UNKNOWN;
    switch (node.function_name) {
      case '~~':
        return like(found.path, pattern);
      case '!~~':
        return { op: 'not', child: like(found.path, pattern) };
      case '^@':
      case 'starts_with':
      case 'prefix':
        return { op: 'startsWith', column: found.path, prefix: pattern };
      default:
        return UNKNOWN;
    }
  };

  /** A boolean column or constant on its own. */
  const truth = async (node: Expression): Promise<Predicate> => {
    const found = column(node);
    if (found?.type === 'boolean') return { op: 'eq', column: found.path, value: true };
    const constant = constantOf(node);
    if (constant?.type !== 'BOOLEAN') return UNKNOWN;
    const [value] = (await literalsOf(connection, 'boolean', [constant])) ?? [];
    return typeof value === 'boolean' ? { op: value ? 'and' : 'or', children: [] } : UNKNOWN;
  };

  return translate;
}

async function negated(predicate: Promise<Predicate> | Predicate): Promise<Predicate> {
  return { op: 'not', child: await predicate };
}

/** `column LIKE pattern` without an escape character: `%` is any text, `_` any one character. */
function like(column: ColumnPath, pattern: string): Predicate {
  const at = pattern.search(/[%_]/);
  if (at === -1) return { op: 'eq', column, value: pattern };
  const begins: Predicate = { op: 'startsWith', column, prefix: pattern.slice(0, at) };
  return /^%+$/.test(pattern.slice(at)) ? begins : { op: 'and', children: [begins, UNKNOWN] };
}
