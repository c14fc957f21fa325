import { isRecord } from '../schema/types.ts';

/** A file's statistics (PROTOCOL.md, "Per-file Statistics"), with whole numbers beyond 2^53 as bigint. */
export type FileStats = Readonly<Record<string, unknown>>;

/** Statistics from their JSON text; what can't be read is as good as none, since statistics only ever spare work. */
export function parseStats(text: string | undefined): FileStats | undefined {
  if (text === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(text, exactly);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function exactly(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
