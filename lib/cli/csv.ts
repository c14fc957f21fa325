import { jsonLine, jsonValue } from '../duckdb/json.ts';

/** One line of CSV (RFC 4180) without its end; null is empty, nested values are JSON. */
export function csvLine(values: readonly unknown[]): string {
  return values.map(csvField).join(',');
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const nested = typeof value === 'object' && !(value instanceof Uint8Array) && !(value instanceof Date);
  const text = nested ? jsonLine(value) : String(jsonValue(value));
  // An empty text is quoted, so that it is told from null.
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
