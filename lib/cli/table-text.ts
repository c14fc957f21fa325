import type { DataType } from '../delta/schema/types.ts';
import type { Detail, HistoryEntry, TableFile } from '../duckdb/delta.ts';
import { printable } from '../errors.ts';
import { bytes, count } from './figures.ts';
import { cellText, type Row, tableLines } from './text-table.ts';

/** What a table is, for a person: facts, then a line for each column. */
export function detailLines(detail: Detail): string[] {
  const { schema, properties, partitionColumns } = detail;
  const facts: readonly (readonly [string, string])[] = [
    ['table', cellText(detail.location, WIDE)],
    ['version', count(detail.version)],
    ['name', cellText(detail.name)],
    ['description', cellText(detail.description, WIDE)],
    ['created', cellText(detail.createdAt)],
    ['modified', cellText(detail.lastModified)],
    ['files', `${count(detail.numFiles)}, ${bytes(detail.sizeInBytes)}`],
    ['partitioned by', printable(partitionColumns.join(', '))],
    ['properties', pairs(properties)],
    ['protocol', protocolText(detail)],
  ];
  const columns = schema.fields.map(({ name, type, nullable }) => ({
    column: name,
    type: typeText(type),
    null: nullable ? 'may be null' : 'never null',
  }));
  return [
    ...facts.filter(([, text]) => text !== '').map(([title, text]) => `${title.padEnd(16)}${text}`),
    '',
    ...tableLines(['column', 'type', 'null'], columns, WIDE),
  ];
}

/** A file as a row that a person reads. */
export function fileRow({ path, size, numRecords, partitionValues, modificationTime }: TableFile): Row {
  return {
    path,
    size: bytes(size),
    rows: numRecords,
    partition: pairs(partitionValues),
    modified: modificationTime,
  };
}

/** A version as a row that a person reads. */
export function historyRow(entry: HistoryEntry): Row {
  const { version, timestamp, operation, operationParameters, operationMetrics, engineInfo } = entry;
  return {
    version,
    timestamp,
    operation,
    parameters: pairs(operationParameters),
    metrics: pairs(operationMetrics),
    engine: engineInfo,
  };
}

/** The most characters of a cell that is to be copied from, such as a path. */
export const WIDE = 400;

function pairs(values: object | undefined | null): string {
  return Object.entries(values ?? {})
    .map(([name, value]) => `${name}=${value === null ? 'null' : cellText(value, WIDE)}`)
    .join(', ');
}

function protocolText({ minReaderVersion, minWriterVersion, tableFeatures }: Detail): string {
  const features = tableFeatures.length === 0 ? '' : ` (${tableFeatures.join(', ')})`;
  return printable(`reader ${minReaderVersion}, writer ${minWriterVersion}${features}`);
}

/** A type as people write it: `array<struct<name: string>>`. */
export function typeText(type: DataType): string {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'array':
      return `array<${typeText(type.elementType)}>`;
    case 'map':
      return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}>`;
    case 'struct':
      return `struct<${type.fields.map((field) => `${field.name}: ${typeText(field.type)}`).join(', ')}>`;
  }
}
