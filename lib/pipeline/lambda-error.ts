/** What Lambda tells of an error, in JSON text. */
export interface ToldError {
  readonly message: string;
  /** The error's name. */
  readonly type?: string;
  /** The code of a LakeletError, whose name may tell no more than that another try may pass. */
  readonly code?: string;
}

/** The first line of a step's trace, by which its error's name and code come through Lambda whole. */
export function traceLine(name: string, code: string, message: string): string {
  return `${name} [${code}]: ${message}`;
}

/** Reads what Lambda tells of an error; undefined where it is no such JSON. */
export function toldBy(cause: string): ToldError | undefined {
  let json: unknown;
  try {
    json = JSON.parse(cause);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null || !('errorMessage' in json)) return undefined;
  if (typeof json.errorMessage !== 'string') return undefined;
  const type = 'errorType' in json && typeof json.errorType === 'string' ? json.errorType : '';
  const trace = 'trace' in json && Array.isArray(json.trace) ? String(json.trace[0]) : '';
  // The name stands there, too: serverless-offline tells an error's class in place of its name.
  const [, name = type, code] = /^(Lakelet\.\w+) \[(\w+)\]: /.exec(trace) ?? [];
  return { message: json.errorMessage, ...(name !== '' && { type: name }), ...(code !== undefined && { code }) };
}
