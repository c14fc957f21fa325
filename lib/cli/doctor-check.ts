/** What one check found. `fail` stops a run; `warn` stops something that not every run needs. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; absent where all is well. */
  readonly advice?: string;
}

/** The checks as lines for a person. */
export function checkLines(checks: readonly Check[]): readonly string[] {
  return checks.map(({ status, name, detail, advice }) => {
    const found = `${status.padEnd(4)}  ${name.padEnd(14)} ${detail}`;
    return advice === undefined ? found : `${found}; ${advice}`;
  });
}
