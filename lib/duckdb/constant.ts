import { isRecord } from '../delta/schema/types.ts';
import { childOf, childrenOf, type Expression, stringConstant, typeId } from './condition.ts';

/** An expression without columns, whose value is the same whenever it is computed. */
export interface Constant {
  /** The expression in SQL. */
  readonly sql: string;
  /** DuckDB's name of its type; `literal` for a string in quotes, which takes the type of what it is compared with. */
  readonly type: string | undefined;
  /** The string of a literal. */
  readonly text?: string;
}

const CAST_TYPES = new Set([
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'FLOAT',
  'DOUBLE',
  'VARCHAR',
  'DATE',
  'TIMESTAMP',
  'TIMESTAMP WITH TIME ZONE',
  'INTERVAL',
]);

/** The functions that an INTERVAL is made of. */
const INTERVAL_PARTS = /^(trunc|to_(microseconds|milliseconds|seconds|minutes|hours|days|weeks|months|years))$/;

/**
 * The constant that an expression is: a literal, a cast of a constant, a sum or difference of constants, an interval.
 * Undefined for everything else, functions of the present time among it.
 */
export function constantOf(node: Expression): Constant | undefined {
  switch (node.class) {
    case 'CONSTANT':
      return literal(node);
    case 'CAST':
      return cast(node);
    case 'FUNCTION':
      return computed(node);
    default:
      return undefined;
  }
}

function literal(node: Expression): Constant | undefined {
  const text = stringConstant(node);
  if (text !== undefined) return { sql: `'${text.replaceAll("'", "''")}'`, type: 'literal', text };
  const value = childOf(node, 'value');
  const type = typeId(value.type);
  if (value.is_null === true) return type === 'NULL' ? { sql: 'NULL', type: 'NULL' } : undefined;
  switch (type) {
    case 'BOOLEAN':
      return { sql: String(value.value), type };
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'HUGEINT': {
      const digits = wholeNumber(value.value);
      return digits === undefined ? undefined : { sql: `'${digits}'::${type}`, type, text: String(digits) };
    }
    case 'DECIMAL':
      return decimal(value);
    case 'FLOAT':
    case 'DOUBLE':
      return { sql: `'${String(value.value)}'::${type}`, type };
    default:
      return undefined;
  }
}

/** An integer as DuckDB's JSON has it: digits, or the two halves of 128 bits. */
function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  if (!isRecord(value)) return undefined;
  const [upper, lower] = [wholeNumber(value.upper), wholeNumber(value.lower)];
  return upper === undefined || lower === undefined ? undefined : (upper << 64n) + lower;
}

function decimal(value: Expression): Constant | undefined {
  const info = childOf(childOf(value, 'type'), 'type_info');
  const [digits, width] = [wholeNumber(value.value), Number(info.width)];
  const scale = Number(info.scale ?? 0);
  if (digits === undefined || !Number.isInteger(width) || !Number.isInteger(scale)) return undefined;
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const point = text.length - scale;
  const shown = `${digits < 0n ? '-' : ''}${text.slice(0, point)}${scale > 0 ? '.' : ''}${text.slice(point)}`;
  return { sql: `'${shown}'::DECIMAL(${width},${scale})`, type: 'DECIMAL', text: shown };
}

function cast(node: Expression): Constant | undefined {
  const type = typeId(node.cast_type);
  const child = constantOf(childOf(node, 'child'));
  if (child === undefined || type === undefined || !CAST_TYPES.has(type) || node.try_cast === true) return undefined;
  return { sql: `CAST(${child.sql} AS ${type})`, type };
}

function computed(node: Expression): Constant | undefined {
  const name = String(node.function_name);
  const found = childrenOf(node).map(constantOf);
  const args = found.filter((arg) => arg !== undefined).map((arg) => arg.sql);
  if (args.length < found.length || node.schema !== undefined) return undefined;
  if ((name === '+' || name === '-') && node.is_operator === true) {
    return { sql: args.length === 1 ? `(${name} ${args[0]})` : `(${args.join(` ${name} `)})`, type: undefined };
  }
  return INTERVAL_PARTS.test(name) ? { sql: `${name}(${args.join(', ')})`, type: undefined } : undefined;
}
