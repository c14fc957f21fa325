import type { DataType } from '../delta/schema/types.ts';

/** An expression for a partition value's text (PROTOCOL.md, "Partition Value Serialization"); NULL stays NULL. */
export function partitionText(column: string, type: DataType): string {
  switch (type) {
    case 'timestamp':
      return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`;
    case 'timestamp_ntz':
      return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`;
    case 'binary':
      return `decode(${column})`;
    case 'float':
    case 'double':
      return `CASE WHEN isnan(${column}) THEN 'NaN' WHEN isinf(${column}) THEN CASE WHEN ${column} > 0 THEN 'Infinity' ELSE '-Infinity' END ELSE CAST(${column} AS VARCHAR) END`;
    default:
      return `CAST(${column} AS VARCHAR)`;
  }
}
