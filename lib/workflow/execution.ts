/** What an execution does, as it does it; told alike by every runner. */
export interface StateChange {
  readonly state: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  readonly change: 'entered' | 'exited' | 'failed' | 'retried' | 'caught' | 'progressed';
  /** Of `failed`, `retried` and `caught`: the error's name where it is known. */
  readonly error?: string;
  /** Of `retried`: the try that follows, from 1. */
  readonly attempt?: number;
  /** Of `progressed`, which a Map does: items that are done. */
  readonly done?: number;
  /** Of `progressed`: items that there are. */
  readonly total?: number;
}

/** How an execution ended. */
export type ExecutionResult =
  | { readonly status: 'SUCCEEDED'; readonly output: unknown }
  | {
      readonly status: 'FAILED';
      /** The error's name, as Step Functions would give it. */
      readonly error: string;
      /** What Lambda would give: JSON text with errorType and errorMessage. */
      readonly cause: string;
      /** What the last handler threw, for callers in the same process. */
      readonly thrown?: unknown;
    }
  /** Stopped by its caller, or by someone else. */
  | {
      readonly status: 'ABORTED';
      /** What someone else who stopped it gave as the reason, if anything. */
      readonly reason?: string;
    };
