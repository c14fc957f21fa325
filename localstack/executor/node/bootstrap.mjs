// The Node side of an execution environment: loads the handler, and answers one invocation after the other.
// Arguments: the descriptors of requests, answers and the lifeline, and what marks the end of an invocation's output.
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { currentRequest, lambdaConsole } from './console.mjs';
import { errorOf, rejectionOf } from './error.mjs';
import { loadHandler } from './load.mjs';
import { requestsOf, writeAnswer } from './pipe.mjs';
import { runHandler } from './run.mjs';

const [requests, answers, lifeline, marker] = process.argv.slice(2);
const writeOutput = process.stdout.write.bind(process.stdout);
const exit = process.exit.bind(process);

// A thread of its own, so that a handler that never lets go of this one is ended, too.
new Worker(new URL('./lifeline.mjs', import.meta.url), { workerData: Number(lifeline) }).unref();
// Lambda's handlers see no arguments of the runtime's.
process.argv.splice(2);
lambdaConsole();

/** Answers once all that was printed so far is out. */
function answer({ body, ...head }) {
  return new Promise((resolve) => {
    writeOutput(`\0${marker}\0`, () => {
      writeAnswer(Number(answers), head, body);
      resolve();
    });
  });
}

function crash(error, code) {
  console.error('Uncaught Exception', JSON.stringify(error));
  writeAnswer(Number(answers), { kind: 'crash', error });
  exit(code);
}

async function serve() {
  const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  const input = new Socket({ fd: Number(requests), writable: false });
  await answer({ kind: 'ready' });
  for await (const request of requestsOf(input)) {
    currentRequest.id = request.id;
    process.env._X_AMZN_TRACE_ID = request.trace;
    // Only the handler's own work keeps the loop alive now, so that its end can be told.
    input.unref();
    const outcome = await runHandler(handler, request, () => input.ref());
    await answer(outcome);
  }
  // LocalStack is gone: what the handler started goes, too.
  process.kill(-process.pid, 'SIGKILL');
}

process.on('uncaughtException', (error) => crash(errorOf(error), 129));
process.on('unhandledRejection', (reason) => crash(rejectionOf(reason), 128));
serve().catch((error) => crash(errorOf(error), 1));
