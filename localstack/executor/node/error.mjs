import { types } from 'node:util';

/** An error of Lambda's own, for example `Runtime.HandlerNotFound`. */
export class RuntimeFault extends Error {
  constructor(name, message, cause) {
    super(message, { cause });
    this.name = `Runtime.${name}`;
    if (cause?.stack) this.stack = cause.stack;
  }
}

/** Whatever was thrown, as an invocation's payload has it; Step Functions compares `errorType` with Retry and Catch. */
export function errorOf(thrown) {
  if (types.isNativeError(thrown) || thrown instanceof Error) {
    return {
      errorType: String(thrown.name),
      errorMessage: String(thrown.message),
      trace: String(thrown.stack ?? '').split('\n'),
    };
  }
  return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
}

/** A promise that was rejected, and that nobody waited for. */
export function rejectionOf(reason) {
  const message = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  return errorOf(new RuntimeFault('UnhandledPromiseRejection', message, reason));
}
