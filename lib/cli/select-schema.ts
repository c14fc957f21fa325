import {
  DuckDBArrayType,
  type DuckDBConnection,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import type { DataType, StructField, StructType } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';

/** The Delta type that holds every value of one of DuckDB's. */
const PRIMITIVES: ReadonlyMap<DuckDBTypeId, string> = new Map([
  [DuckDBTypeId.BOOLEAN, 'boolean'],
  [DuckDBTypeId.TINYINT, 'byte'],
  [DuckDBTypeId.SMALLINT, 'short'],
  [DuckDBTypeId.INTEGER, 'integer'],
  [DuckDBTypeId.BIGINT, 'long'],
  [DuckDBTypeId.UTINYINT, 'short'],
  [DuckDBTypeId.USMALLINT, 'integer'],
  [DuckDBTypeId.UINTEGER, 'long'],
  [DuckDBTypeId.UBIGINT, 'decimal(20,0)'],
  // A sum of integers; a value of 39 digits fails as it is written.
  [DuckDBTypeId.HUGEINT, 'decimal(38,0)'],
  [DuckDBTypeId.FLOAT, 'float'],
  [DuckDBTypeId.DOUBLE, 'double'],
  [DuckDBTypeId.VARCHAR, 'string'],
  [DuckDBTypeId.ENUM, 'string'],
  [DuckDBTypeId.UUID, 'string'],
  [DuckDBTypeId.BLOB, 'binary'],
  [DuckDBTypeId.DATE, 'date'],
  [DuckDBTypeId.TIMESTAMP, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_S, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_MS, 'timestamp_ntz'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'timestamp'],
]);

/**
 * The schema of the table that a SELECT's rows would make; every column may be null.
 *
 * @throws LakeletError `UNSUPPORTED_TYPE`, which names the column and how to cast it
 */
export async function selectSchema(connection: DuckDBConnection, select: string): Promise<StructType> {
  const prepared = await connection.prepare(select);
  try {
    const fields: StructField[] = [];
    for (let i = 0; i < prepared.columnCount; i++)
      fields.push(field(prepared.columnName(i), prepared.columnType(i), []));
    return { type: 'struct', fields };
  } finally {
    prepared.destroySync();
  }
}

function field(name: string, type: DuckDBType, above: readonly string[]): StructField {
  return { name, type: deltaType(type, [...above, name]), nullable: true, metadata: {} };
}

function deltaType(type: DuckDBType, path: readonly string[]): DataType {
  const primitive = PRIMITIVES.get(type.typeId);
  if (primitive !== undefined) return primitive;
  if (type instanceof DuckDBDecimalType) return `decimal(${type.width},${type.scale})`;
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
    return { type: 'array', elementType: deltaType(type.valueType, [...path, 'element']), containsNull: true };
  }
  if (type instanceof DuckDBMapType) {
    return {
      type: 'map',
      keyType: deltaType(type.keyType, [...path, 'key']),
      valueType: deltaType(type.valueType, [...path, 'value']),
      valueContainsNull: true,
    };
  }
  if (type instanceof DuckDBStructType) {
    const fields = type.entryNames.map((name, i) => ({ name, type: type.entryTypes[i] }));
    return {
      type: 'struct',
      fields: fields.flatMap((entry) => (entry.type === undefined ? [] : [field(entry.name, entry.type, path)])),
    };
  }
  throw new LakeletError(
    'UNSUPPORTED_TYPE',
    `Column ${printable(path.join('.'), 200)} is of DuckDB's type ${printable(String(type), 100)}, for which Delta has none; cast it, for example to VARCHAR`,
  );
}
