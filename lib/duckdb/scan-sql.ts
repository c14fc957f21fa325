import type { ScanFile } from '../delta/engine.ts';
import { type DataType, findField, type StructField, type StructType } from '../delta/schema/types.ts';
import { fileLiteral, identifier, literal } from './names.ts';
import { renamed } from './rename.ts';
import { sqlType } from './types.ts';

/** What a scan's statement is made from. */
export interface ScanStatement {
  readonly schema: StructType;
  /** The schema as data files have it. */
  readonly physical: StructType;
  readonly partitionColumns: readonly string[];
  /** The columns wanted, in order. */
  readonly columns: readonly string[];
  /** Local path and partition values of each file. */
  readonly files: readonly { readonly path: string; readonly partitionValues: ScanFile['partitionValues'] }[];
  /** An empty Parquet file with the columns that the schema's data files have. */
  readonly stub: string;
  readonly where?: string;
}

/**
 * One SELECT over exactly these files. The stub comes first, so that a column that no file has is there as NULLs; a partition
 * column's value is found by the file's number.
 */
export function scanSql(scan: ScanStatement): string {
  const groups = groupsOf(scan);
  const rows = groups.map((files) => groupSql(scan, files)).join('\nUNION ALL ');
  const columns = scan.columns.map(identifier).join(', ');
  if (scan.where === undefined) return groups.length === 1 ? rows : `SELECT ${columns} FROM (${rows})`;
  return `SELECT ${columns} FROM (${rows}) WHERE (${scan.where}\n)`;
}

/** A column that is called as DuckDB calls the file's number hides it; then each partition is read for itself. */
function groupsOf({ physical, partitionColumns, files }: ScanStatement): (readonly ScanStatement['files'][number][])[] {
  if (partitionColumns.length === 0 || files.length === 0 || findField(physical, 'file_index') === undefined)
    return [files];
  const groups = new Map<string, ScanStatement['files'][number][]>();
  for (const file of files) {
    const group = JSON.stringify(partitionColumns.map((name) => file.partitionValues[name] ?? null));
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [file]);
    else members.push(file);
  }
  return [...groups.values()];
}

function groupSql(scan: ScanStatement, files: ScanStatement['files']): string {
  // Where a condition follows, it may name any column; the optimizer drops those that nobody reads.
  const fields = scan.where === undefined ? fieldsOf(scan) : scan.schema.fields;
  const columns = fields.map((field) => `${columnSql(scan, files, field)} AS ${identifier(field.name)}`);
  const paths = [scan.stub, ...files.map(({ path }) => path)].map(fileLiteral).join(', ');
  return `SELECT ${columns.join(', ')} FROM read_parquet([${paths}], union_by_name = true, hive_partitioning = false)`;
}

function fieldsOf({ schema, columns }: ScanStatement): StructField[] {
  return columns.flatMap((name) => findField(schema, name) ?? []);
}

function columnSql(
  { schema, physical, partitionColumns }: ScanStatement,
  files: ScanStatement['files'],
  field: StructField,
): string {
  const type = sqlType(field.type);
  if (field.type === 'void') return `CAST(NULL AS ${type})`;
  if (!partitionColumns.includes(field.name)) {
    const own = physical.fields[schema.fields.indexOf(field)] ?? field;
    return renamed(`CAST(${identifier(own.name)} AS ${sqlType(own.type)})`, own.type, field.type);
  }
  const values = files.map(({ partitionValues }) => partitionSql(partitionValues[field.name], field.type));
  const [first = 'NULL'] = values;
  if (values.every((value) => value === first)) return first === 'NULL' ? `CAST(NULL AS ${type})` : first;
  return `([NULL, ${values.join(', ')}])[file_index::BIGINT + 1]`;
}

/**
 * A partition value's text as a constant (PROTOCOL.md, "Partition Value Serialization"): the empty string is NULL, a
 * timestamp without a zone is one of UTC, binary is text whose characters stand for themselves in UTF-8.
 */
function partitionSql(text: string | null | undefined, type: DataType): string {
  if (text === null || text === undefined || text === '') return 'NULL';
  // No statement may hold the character NUL itself.
  const constant = `(${text.split('\0').map(literal).join(' || chr(0) || ')})`;
  if (type === 'binary') return `encode(${constant})`;
  return `CAST(${constant} AS ${sqlType(type)})`;
}

/** A SELECT without rows, of the columns that data files have, by their physical names. */
export function stubSql(schema: StructType, physical: StructType, partitionColumns: readonly string[]): string {
  const fields = physical.fields.filter(
    ({ type }, at) => type !== 'void' && !partitionColumns.includes(schema.fields[at]?.name ?? ''),
  );
  // A Parquet file has at least one column.
  if (fields.length === 0) return 'SELECT NULL AS stub LIMIT 0';
  const columns = fields.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${identifier(name)}`);
  return `SELECT ${columns.join(', ')} LIMIT 0`;
}
