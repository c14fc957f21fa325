import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  DuckDBTypeId,
  FLOAT,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
  TIMESTAMP,
  TIMESTAMPTZ,
  TINYINT,
  VARCHAR,
} from '@duckdb/node-api';
import { type DataType, decimalOf, findField } from '../delta/schema/types.ts';
import { identifier } from './names.ts';

const PRIMITIVES: Readonly<Record<string, { readonly sql: string; readonly type: DuckDBType }>> = {
  string: { sql: 'VARCHAR', type: VARCHAR },
  long: { sql: 'BIGINT', type: BIGINT },
  integer: { sql: 'INTEGER', type: INTEGER },
  short: { sql: 'SMALLINT', type: SMALLINT },
  byte: { sql: 'TINYINT', type: TINYINT },
  float: { sql: 'FLOAT', type: FLOAT },
  double: { sql: 'DOUBLE', type: DOUBLE },
  boolean: { sql: 'BOOLEAN', type: BOOLEAN },
  binary: { sql: 'BLOB', type: BLOB },
  date: { sql: 'DATE', type: DATE },
  timestamp: { sql: 'TIMESTAMPTZ', type: TIMESTAMPTZ },
  timestamp_ntz: { sql: 'TIMESTAMP', type: TIMESTAMP },
  // Has no value but NULL, and no column in data files.
  void: { sql: 'INTEGER', type: INTEGER },
};

/** DuckDB's spelling of a Delta type. */
export function sqlType(type: DataType): string {
  if (typeof type === 'string') {
    const decimal = decimalOf(type);
    return decimal === undefined ? primitive(type).sql : `DECIMAL(${decimal.precision},${decimal.scale})`;
  }
  switch (type.type) {
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${identifier(field.name)} ${sqlType(field.type)}`).join(', ')})`;
    case 'array':
      return `${sqlType(type.elementType)}[]`;
    case 'map':
      return `MAP(${sqlType(type.keyType)}, ${sqlType(type.valueType)})`;
  }
}

/** The DuckDB type of a Delta type, for values that are handed over. */
export function duckType(type: DataType): DuckDBType {
  if (typeof type === 'string') {
    const decimal = decimalOf(type);
    return decimal === undefined ? primitive(type).type : DECIMAL(decimal.precision, decimal.scale);
  }
  switch (type.type) {
    case 'struct':
      return STRUCT(Object.fromEntries(type.fields.map((field) => [field.name, duckType(field.type)])));
    case 'array':
      return LIST(duckType(type.elementType));
    case 'map':
      return MAP(duckType(type.keyType), duckType(type.valueType));
  }
}

function primitive(type: string) {
  const known = PRIMITIVES[type];
  if (known === undefined) throw new TypeError(`${type} is not a primitive type of Delta`);
  return known;
}

const INTEGERS: readonly DuckDBTypeId[] = [
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.INTEGER_LITERAL,
];
const TIMESTAMPS: readonly DuckDBTypeId[] = [
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_TZ,
];

/** The DuckDB types that a column of a Delta type takes; whole numbers are checked for their range as they are cast. */
const TAKES: Readonly<Record<string, readonly DuckDBTypeId[]>> = {
  string: [DuckDBTypeId.VARCHAR, DuckDBTypeId.ENUM, DuckDBTypeId.UUID, DuckDBTypeId.STRING_LITERAL],
  long: INTEGERS,
  integer: INTEGERS,
  short: INTEGERS,
  byte: INTEGERS,
  float: [DuckDBTypeId.FLOAT, ...INTEGERS],
  double: [DuckDBTypeId.DOUBLE, DuckDBTypeId.FLOAT, DuckDBTypeId.DECIMAL, ...INTEGERS],
  boolean: [DuckDBTypeId.BOOLEAN],
  binary: [DuckDBTypeId.BLOB],
  date: [DuckDBTypeId.DATE],
  timestamp: [...TIMESTAMPS, DuckDBTypeId.DATE],
  timestamp_ntz: [...TIMESTAMPS, DuckDBTypeId.DATE],
  void: [],
};

/** True where values of a DuckDB type can go into a column of a Delta type without losing anything but by an error. */
export function canTake(to: DataType, from: DuckDBType): boolean {
  if (from.typeId === DuckDBTypeId.SQLNULL) return true;
  if (typeof to === 'string') {
    const decimal = decimalOf(to);
    if (decimal === undefined) return (TAKES[to] ?? []).includes(from.typeId);
    return INTEGERS.includes(from.typeId) || (from.typeId === DuckDBTypeId.DECIMAL && from.scale <= decimal.scale);
  }
  switch (to.type) {
    case 'struct':
      return (
        from.typeId === DuckDBTypeId.STRUCT &&
        from.entryNames.every((name, at) => {
          const field = findField(to, name);
          const entry = from.entryTypes[at];
          return field !== undefined && entry !== undefined && canTake(field.type, entry);
        })
      );
    case 'array':
      return (
        (from.typeId === DuckDBTypeId.LIST || from.typeId === DuckDBTypeId.ARRAY) &&
        canTake(to.elementType, from.valueType)
      );
    case 'map':
      return (
        from.typeId === DuckDBTypeId.MAP && canTake(to.keyType, from.keyType) && canTake(to.valueType, from.valueType)
      );
  }
}
