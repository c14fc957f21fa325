import { isRecord, type StructField, type StructType } from '../schema/types.ts';
import type { FileValues } from './compare.ts';
import type { ColumnPath } from './predicate.ts';

/** What an add action tells of a file, for skipping. */
export interface FileFacts {
  /** By physical name, as the log serialises them; an empty string is null. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** The JSON of `add.stats`, parsed; longs as bigint, or as numbers, of which those beyond 2^53 are taken as rounded. */
  readonly stats?: Readonly<Record<string, unknown>> | undefined;
}

/** What the log says of one column in one file. */
export interface ColumnFacts {
  readonly mayBeNull: boolean;
  readonly mayHaveValue: boolean;
  readonly values: FileValues;
}

/** A column that a predicate names, and how to look it up in a file's add action. */
export interface Column {
  readonly field: StructField;
  /** What is known; undefined where the log says nothing. */
  facts(file: FileFacts): ColumnFacts | undefined;
}

/**
 * A column of the schema, by its path through structs; undefined where there is none. Files name a column by its
 * physical name where column mapping gave it one (PROTOCOL.md, "Column Mapping").
 */
export function findColumn(
  schema: StructType,
  partitionColumns: readonly string[],
  path: ColumnPath,
): Column | undefined {
  const fields: StructField[] = [];
  let struct: StructType | undefined = schema;
  for (const name of path) {
    const field: StructField | undefined = struct?.fields.find((each) => each.name === name);
    if (field === undefined) return undefined;
    fields.push(field);
    struct = typeof field.type !== 'string' && field.type.type === 'struct' ? field.type : undefined;
  }
  const field = fields.at(-1);
  if (field === undefined) return undefined;
  const names = fields.map(physicalName);
  const key = path.length === 1 && partitionColumns.includes(field.name) ? names[0] : undefined;
  if (key !== undefined) return { field, facts: (file) => partitionFacts(file, key) };
  return { field, facts: (file) => statisticsFacts(file, names) };
}

function physicalName(field: StructField): string {
  const name = field.metadata['delta.columnMapping.physicalName'];
  return typeof name === 'string' ? name : field.name;
}

/** An empty partition value is null, whatever the type (PROTOCOL.md, "Partition Value Serialization"). */
function partitionFacts(file: FileFacts, key: string): ColumnFacts | undefined {
  const value = Object.hasOwn(file.partitionValues, key) ? file.partitionValues[key] : undefined;
  if (value === undefined) return undefined;
  const isNull = value === null || value === '';
  return { mayBeNull: isNull, mayHaveValue: !isNull, values: { partition: value ?? '' } };
}

/**
 * A null count says something for certain only where it is 0 or all records; this holds for wide bounds as well as for
 * tight ones (PROTOCOL.md, "Per-file Statistics").
 */
function statisticsFacts(file: FileFacts, names: readonly string[]): ColumnFacts | undefined {
  if (file.stats === undefined) return undefined;
  const { numRecords, minValues, maxValues, nullCount } = file.stats;
  const nulls = countOf(nested(nullCount, names));
  const records = countOf(numRecords);
  return {
    mayBeNull: nulls !== 0,
    mayHaveValue: nulls === undefined || nulls !== records,
    values: { min: nested(minValues, names), max: nested(maxValues, names) },
  };
}

function nested(value: unknown, names: readonly string[]): unknown {
  let inner = value;
  for (const name of names) inner = isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined;
  return inner;
}

/** A count of rows; undefined where the log holds none that could be one. */
export function countOf(value: unknown): number | undefined {
  const count = typeof value === 'bigint' ? Number(value) : value;
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
