import { errorOf } from './error.mjs';

/**
 * Calls a handler: an async one, or one with a callback. As on Lambda, what a handler returns that is no promise is not
 * its result, and where nothing is left to do before there is a result, that is null.
 *
 * @param {Function} handler
 * @param {{ id: string, arn: string, deadline: number, event: string }} request `deadline` in milliseconds of Date.now
 * @param {() => void} onSettled called at once when there is a result, even from the end of the event loop
 * @returns {Promise<object>} the answer: `result` with its JSON as `body`, or `error`
 */
export async function runHandler(handler, request, onSettled) {
  try {
    const result = await call(handler, JSON.parse(request.event), request).finally(onSettled);
    return { kind: 'result', body: textOf(result) };
  } catch (thrown) {
    const error = errorOf(thrown);
    console.error('Invoke Error', JSON.stringify(error));
    return { kind: 'error', error };
  }
}

function textOf(result) {
  try {
    // What has no JSON (nothing, a function, a symbol) is null.
    return JSON.stringify(result) ?? 'null';
  } catch (cause) {
    throw new Error('Unable to stringify response body', { cause });
  }
}

async function call(handler, event, request) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const context = contextOf(request);
  let atEnd = () => resolve(null);
  // In a turn of its own: at the loop's very end nothing would wait for what follows.
  const onEnd = () => setImmediate(() => atEnd());
  const callback = (error, result) => {
    const settle = () => (error == null ? resolve(result) : reject(error));
    // Lambda holds a callback's result back until nothing is left to do, unless the handler says otherwise.
    if (context.callbackWaitsForEmptyEventLoop) atEnd = settle;
    else settle();
  };
  process.once('beforeExit', onEnd);
  try {
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
    return await promise;
  } finally {
    process.off('beforeExit', onEnd);
  }
}

function contextOf({ id, arn, deadline }) {
  const { env } = process;
  return {
    awsRequestId: id,
    invokedFunctionArn: arn,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}
