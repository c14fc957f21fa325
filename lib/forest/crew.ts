import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { asLakeletError, LakeletError, messageOf } from '../errors.ts';
import { binRows } from './bin.ts';
import { type GrownTree, TreeGrower } from './grow.ts';
import type { ResolvedOptions } from './options.ts';
import type { Problem } from './problem.ts';

/** Marks the worker threads of this module, which start on its own file, or on the bundle that it is part of. */
const TAG = 'lakelet/forest/crew';
const BLOCK_ROWS = 16_384;

/** Places in the control words that all threads share. */
const NEXT_BLOCK = 0;
const BLOCKS_DONE = 1;
const NEXT_TREE = 2;
const JOB_POSTED = 3;
const ENDED = 4;
const WORDS = 5;

interface Job {
  readonly problem: Problem;
  readonly options: ResolvedOptions;
}

interface TreeReport {
  readonly kind: 'tree';
  readonly number: number;
  readonly grown: GrownTree;
}

/** What a worker reports: a tree with its number, or what went wrong. */
type Report = TreeReport | { readonly kind: 'failed'; readonly message: string };

/** What the caller of {@link startCrew} may do with the worker threads. */
export interface Crew {
  /** Bins the rows and grows all trees; resolves with them in the order of their numbers. To be called once. */
  grow(problem: Problem, onTree: (done: number) => void): Promise<GrownTree[]>;
  /** Ends the threads; resolves when the last one is gone. Safe at any time, and more than once. */
  dismiss(): Promise<void>;
}

/**
 * Starts worker threads, which boot while the caller prepares their problem. The threads take blocks of rows, then
 * trees, from shared counters, so that all are busy to the end; which thread grows a tree makes no difference to it.
 */
export function startCrew(options: ResolvedOptions, signal: AbortSignal | undefined): Crew {
  const control = new Int32Array(new SharedArrayBuffer(WORDS * 4));
  const workers: Worker[] = [];
  let fail: (error: LakeletError) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // It is raced against below; without a listener of its own it would end the process when it comes earlier.
  failure.catch(() => undefined);
  const abort = (): void =>
    fail(
      new LakeletError('ABORTED', 'Training the forest was cancelled; no model was made.', { cause: signal?.reason }),
    );
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  try {
    for (let i = 0; i < options.nJobs && signal?.aborted !== true; i++)
      workers.push(new Worker(new URL(import.meta.url), { workerData: { tag: TAG, control } }));
  } catch (error) {
    fail(notStarted(error));
  }
  for (const worker of workers) {
    worker.on('error', (error) =>
      fail(asLakeletError(error, 'FOREST_WORKER_FAILED', 'A worker thread of the forest failed')),
    );
    worker.on('messageerror', (error) =>
      fail(asLakeletError(error, 'FOREST_WORKER_FAILED', 'A worker thread of the forest sent what cannot be read')),
    );
    worker.on('exit', (code) =>
      fail(
        new LakeletError(
          'FOREST_WORKER_FAILED',
          `A worker thread of the forest ended early with code ${code}; try fewer workers, or fewer rows.`,
        ),
      ),
    );
  }

  const grow = (problem: Problem, onTree: (done: number) => void): Promise<GrownTree[]> => {
    const trees = new Map<number, GrownTree>();
    const grown = new Promise<GrownTree[]>((resolve, reject) => {
      const receive = (report: Report): void => {
        if (report.kind === 'failed') {
          fail(new LakeletError('FOREST_WORKER_FAILED', report.message));
          return;
        }
        trees.set(report.number, report.grown);
        try {
          onTree(trees.size);
        } catch (error) {
          reject(asLakeletError(error, 'FOREST_PROGRESS_FAILED', 'The onProgress function of the training threw'));
          return;
        }
        if (trees.size === options.nEstimators) resolve([...trees].sort(([a], [b]) => a - b).map(([, tree]) => tree));
      };
      const job: Job = { problem, options };
      for (const worker of workers) {
        worker.on('message', receive);
        worker.postMessage(job);
      }
      Atomics.store(control, JOB_POSTED, 1);
      Atomics.notify(control, JOB_POSTED);
    });
    return Promise.race([grown, failure]);
  };

  const dismiss = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    Atomics.store(control, ENDED, 1);
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  return { grow, dismiss };
}

function notStarted(error: unknown): LakeletError {
  return asLakeletError(
    error,
    'FOREST_WORKER_NOT_STARTED',
    'No worker thread could be started to grow the forest (in a bundle, build ES modules, so that import.meta.url is set)',
  );
}

function work({ problem, options }: Job, control: Int32Array, send: (report: TreeReport) => void): void {
  const blocks = Math.ceil(problem.rows / BLOCK_ROWS);
  for (let block = Atomics.add(control, NEXT_BLOCK, 1); block < blocks; block = Atomics.add(control, NEXT_BLOCK, 1)) {
    binRows(
      problem.columns,
      problem.edges,
      problem.bins,
      block * BLOCK_ROWS,
      Math.min(problem.rows, (block + 1) * BLOCK_ROWS),
    );
    Atomics.add(control, BLOCKS_DONE, 1);
    Atomics.notify(control, BLOCKS_DONE);
  }
  for (let done = Atomics.load(control, BLOCKS_DONE); done < blocks; done = Atomics.load(control, BLOCKS_DONE))
    Atomics.wait(control, BLOCKS_DONE, done);
  const grower = new TreeGrower(problem, options);
  const ended = (): boolean => Atomics.load(control, ENDED) === 1;
  for (
    let number = Atomics.add(control, NEXT_TREE, 1);
    number < options.nEstimators && !ended();
    number = Atomics.add(control, NEXT_TREE, 1)
  ) {
    const grown = grower.grow(number, ended);
    if (!ended()) send({ kind: 'tree', number, grown });
  }
}

/** The memory of a tree, which is handed over, not copied. */
function buffersOf({ tree, gains }: GrownTree): ArrayBuffer[] {
  const arrays = [tree.feature, tree.threshold, tree.left, tree.missingLeft, tree.value, gains];
  return arrays.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

/** The control words that a thread of this module was started with; undefined in any other thread. */
function controlOf(data: unknown): Int32Array | undefined {
  if (typeof data !== 'object' || data === null || !('tag' in data) || data.tag !== TAG) return undefined;
  return 'control' in data && data.control instanceof Int32Array ? data.control : undefined;
}

/**
 * Waits for the job, does it, and waits to be ended, without ever giving the thread back: where this module is part of
 * a bundle, the rest of the bundle, its entry included, must not run again in each worker.
 */
function serve(port: MessagePort, control: Int32Array): never {
  Atomics.wait(control, JOB_POSTED, 0);
  try {
    const job: Job | undefined = receiveMessageOnPort(port)?.message;
    if (job === undefined) throw new Error('it was given nothing to do');
    work(job, control, (report) => port.postMessage(report, buffersOf(report.grown)));
  } catch (error) {
    const failed: Report = { kind: 'failed', message: `A worker thread of the forest failed: ${messageOf(error)}` };
    port.postMessage(failed);
  }
  for (;;) Atomics.wait(control, ENDED, Atomics.load(control, ENDED));
}

const shared = controlOf(workerData);
if (shared !== undefined && parentPort !== null) serve(parentPort, shared);
