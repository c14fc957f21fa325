import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { asLakeletError, LakeletError, messageOf } from '../errors.ts';
import { binRows } from './bin.ts';
import type { BoostingFunctions } from './boosting/functions.ts';
import type { BoostingJob, BoostingReport } from './boosting/job.ts';
import { boost } from './boosting/rounds.ts';
import { type GrownTree, TreeGrower } from './grow.ts';
import { instantiateKernel } from './kernel/kernel.ts';
import type { ResolvedOptions } from './options.ts';
import { BlockScorer, type Scoring } from './out-of-bag.ts';
import type { Problem } from './problem.ts';
import type { Workspace } from './workspace.ts';

/** Marks the worker threads of this module, which start on its own file, or on the bundle that it is part of. */
const TAG = 'lakelet/forest/crew';
const BLOCK_ROWS = 16_384;

/** Places in the control words that all threads share. */
const NEXT_BLOCK = 0;
const BLOCKS_DONE = 1;
const NEXT_TREE = 2;
const JOB_POSTED = 3;
const ENDED = 4;
const NEXT_THREAD = 5;
const NEXT_SCORER = 6;
const NEXT_SCORED = 7;
const WORDS = 8;

interface ForestJob {
  readonly kind: 'forest';
  readonly problem: Problem;
  readonly options: ResolvedOptions;
  readonly workspace: Workspace;
}

interface ScoringJob {
  readonly kind: 'scoring';
  readonly problem: Problem;
  readonly scoring: Scoring;
}

interface TreeReport {
  readonly kind: 'tree';
  readonly number: number;
  readonly grown: GrownTree;
}

/** What the workers are given to do. */
type Job = ForestJob | ScoringJob | BoostingJob;

/** What a worker reports: a tree with its number, a round, or what went wrong. */
type Report =
  | TreeReport
  | { readonly kind: 'scored' }
  | BoostingReport
  | { readonly kind: 'failed'; readonly message: string };

/** A round of a boosting that is done. */
export type BoostedRound = Extract<BoostingReport, { kind: 'round' }>;

/** What the caller of {@link startCrew} may do with the worker threads. */
export interface Crew {
  /** Bins the rows and grows all trees; resolves with them in the order of their numbers. To be called once. */
  grow(
    problem: Problem,
    options: ResolvedOptions,
    workspace: Workspace,
    onTree: (done: number) => void,
  ): Promise<GrownTree[]>;
  /** Lets rows be predicted by the trees that did not draw them. To be called once, after {@link Crew.grow}. */
  score(problem: Problem, scoring: Scoring): Promise<void>;
  /** Makes all rounds of a boosting, one thread for each of the layout's; resolves after the last. To be called once. */
  boost(job: BoostingJob, onRound: (round: BoostedRound) => void): Promise<void>;
  /** Ends the threads; resolves when the last one is gone. Safe at any time, and more than once. */
  dismiss(): Promise<void>;
}

/**
 * Starts worker threads, which boot while the caller prepares their problem. The threads take blocks of rows, then
 * trees, from shared counters, so that all are busy to the end; which thread grows a tree makes no difference to it.
 */
export function startCrew(nJobs: number, signal: AbortSignal | undefined): Crew {
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
    for (let i = 0; i < nJobs && signal?.aborted !== true; i++)
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

  /** Gives all threads a job, and hands on what they report until `receive` says that it is done. */
  const run = async (job: Job, receive: (report: Report) => boolean): Promise<void> => {
    let hearing: (report: Report) => void = () => undefined;
    const done = new Promise<void>((resolve, reject) => {
      const hear = (report: Report): void => {
        if (report.kind === 'failed') {
          fail(new LakeletError('FOREST_WORKER_FAILED', report.message));
          return;
        }
        try {
          if (receive(report)) resolve();
        } catch (error) {
          reject(asLakeletError(error, 'FOREST_PROGRESS_FAILED', 'The onProgress function of the training threw'));
        }
      };
      hearing = hear;
      for (const worker of workers) {
        worker.on('message', hear);
        worker.postMessage(job);
      }
      Atomics.add(control, JOB_POSTED, 1);
      Atomics.notify(control, JOB_POSTED);
    });
    await Promise.race([done, failure]);
    for (const worker of workers) worker.off('message', hearing);
  };

  const grow = async (
    problem: Problem,
    options: ResolvedOptions,
    workspace: Workspace,
    onTree: (done: number) => void,
  ): Promise<GrownTree[]> => {
    const trees = new Map<number, GrownTree>();
    await run({ kind: 'forest', problem, options, workspace }, (report) => {
      if (report.kind !== 'tree') return false;
      trees.set(report.number, report.grown);
      onTree(trees.size);
      return trees.size === options.nEstimators;
    });
    return [...trees].sort(([a], [b]) => a - b).map(([, tree]) => tree);
  };

  const score = async (problem: Problem, scoring: Scoring): Promise<void> => {
    let threads = 0;
    await run(
      { kind: 'scoring', problem, scoring },
      (report) => report.kind === 'scored' && ++threads === workers.length,
    );
  };

  const boostAll = (job: BoostingJob, onRound: (round: BoostedRound) => void): Promise<void> =>
    run(job, (report) => {
      if (report.kind === 'round') onRound(report);
      return report.kind === 'trained';
    });

  const dismiss = async (): Promise<void> => {
    signal?.removeEventListener('abort', abort);
    Atomics.store(control, ENDED, 1);
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  return { grow, score, boost: boostAll, dismiss };
}

function notStarted(error: unknown): LakeletError {
  return asLakeletError(
    error,
    'FOREST_WORKER_NOT_STARTED',
    'No worker thread could be started to grow the forest (in a bundle, build ES modules, so that import.meta.url is set)',
  );
}

function work(
  { problem, options, workspace }: ForestJob,
  control: Int32Array,
  send: (report: TreeReport) => void,
): void {
  const blocks = Math.ceil(problem.rows / BLOCK_ROWS);
  const bins = new Uint8Array(workspace.memory.buffer, workspace.bins, problem.rows * problem.columns.length);
  for (let block = Atomics.add(control, NEXT_BLOCK, 1); block < blocks; block = Atomics.add(control, NEXT_BLOCK, 1)) {
    binRows(problem.columns, problem.edges, bins, block * BLOCK_ROWS, Math.min(problem.rows, (block + 1) * BLOCK_ROWS));
    Atomics.add(control, BLOCKS_DONE, 1);
    Atomics.notify(control, BLOCKS_DONE);
  }
  for (let done = Atomics.load(control, BLOCKS_DONE); done < blocks; done = Atomics.load(control, BLOCKS_DONE))
    Atomics.wait(control, BLOCKS_DONE, done);
  const grower = new TreeGrower(problem, options, workspace, Atomics.add(control, NEXT_THREAD, 1));
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

function score({ problem, scoring }: ScoringJob, control: Int32Array): void {
  const scorer = new BlockScorer(problem, scoring, Atomics.add(control, NEXT_SCORER, 1));
  for (
    let block = Atomics.add(control, NEXT_SCORED, 1);
    block < scoring.blocks;
    block = Atomics.add(control, NEXT_SCORED, 1)
  )
    scorer.score(block);
}

/** The memory of a tree, which is handed over, not copied. */
function buffersOf({ tree, gains, binned }: GrownTree): ArrayBuffer[] {
  const arrays = [
    tree.feature,
    tree.threshold,
    tree.left,
    tree.missingLeft,
    tree.value,
    gains,
    ...(binned ? [binned] : []),
  ];
  return arrays.map(({ buffer }) => buffer).filter((buffer) => buffer instanceof ArrayBuffer);
}

/** The control words that a thread of this module was started with; undefined in any other thread. */
function controlOf(data: unknown): Int32Array | undefined {
  if (typeof data !== 'object' || data === null || !('tag' in data) || data.tag !== TAG) return undefined;
  return 'control' in data && data.control instanceof Int32Array ? data.control : undefined;
}

/**
 * Waits for jobs, does them, and waits to be ended, without ever giving the thread back: where this module is part of
 * a bundle, the rest of the bundle, its entry included, must not run again in each worker.
 */
function serve(port: MessagePort, control: Int32Array): never {
  for (let jobs = 0; ; jobs++) {
    Atomics.wait(control, JOB_POSTED, jobs);
    try {
      const job: Job | undefined = receiveMessageOnPort(port)?.message;
      if (job === undefined) throw new Error('it was given nothing to do');
      if (job.kind === 'forest') work(job, control, (report) => port.postMessage(report, buffersOf(report.grown)));
      else if (job.kind === 'scoring') {
        score(job, control);
        port.postMessage({ kind: 'scored' } satisfies Report);
      } else {
        const thread = Atomics.add(control, NEXT_THREAD, 1);
        boost(job, instantiateKernel<BoostingFunctions>(job.memory), thread, (report) => port.postMessage(report));
      }
    } catch (error) {
      const failed: Report = { kind: 'failed', message: `A worker thread of the forest failed: ${messageOf(error)}` };
      port.postMessage(failed);
    }
  }
}

const shared = controlOf(workerData);
if (shared !== undefined && parentPort !== null) serve(parentPort, shared);
