/**
 * The JSON of the command line and of the HTTP API: no value loses anything that another program could not restore. Integers beyond 2^53 and
 * decimals are strings, timestamps ISO 8601, binary is base64, NaN and the infinities are strings.
 */
export function jsonValue(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      return value === null ? null : jsonObject(value);
    case 'undefined':
      return null;
    default:
      return value;
  }
}

function jsonObject(value: object): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Map) {
    const entries = [...value];
    // An object has room for text alone as a key.
    if (entries.every(([key]) => typeof key === 'string')) {
      return Object.fromEntries(entries.map(([key, item]) => [key, jsonValue(item)]));
    }
    return entries.map(([key, item]) => ({ key: jsonValue(key), value: jsonValue(item) }));
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, jsonValue(item)]),
  );
}

/** One value as one line of JSON, without the line's end. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(jsonValue(value));
}
