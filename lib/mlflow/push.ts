import { LakeletError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { EvaluateModel } from './champion.ts';
import { MlflowRefusal } from './client.ts';
import type { MlflowServer } from './http.ts';
import { withPushLease, withTrainingLease } from './lease.ts';
import { keyPart, readRecord, recordKeys, recordStart } from './record-store.ts';
import { type LoggedTraining, logOnServer } from './server-log.ts';

/** What a push did. */
export interface PushSummary {
  /** What was sent now, in the order of its time. */
  readonly pushed: readonly LoggedTraining[];
  /** How many records the server had already. */
  readonly already: number;
  /** Records that could not be sent though the server works: they are damaged, or it refuses them. */
  readonly failed: readonly { readonly key: string; readonly error: LakeletError }[];
}

/** How to push. */
export interface PushOptions {
  /** Compares a record's model with the server's champion on the record's held-out rows; without it the champion stays. */
  readonly evaluateChampion?: EvaluateModel;
  readonly onPushed?: (logged: LoggedTraining) => void;
}

/**
 * Brings all records of a store into a server, once each, in the order in which their trainings started. It is the
 * server that is asked what it has, by the tag of the run id, and not the marks that a push leaves beside the records:
 * so a push that was killed is taken up, and a server that lost its data gets all of it again.
 *
 * @throws LakeletError `MLFLOW_UNREACHABLE`, `MLFLOW_FAILED`, `MLFLOW_REFUSED` where the server takes nothing;
 *   `MLFLOW_PUSH_BUSY` where another push is at work; `CANCELLED`
 */
export async function pushRecords(store: ObjectStore, server: MlflowServer & PushOptions): Promise<PushSummary> {
  return withPushLease(store, (renew) => pushAll(store, server, renew));
}

async function pushAll(
  store: ObjectStore,
  server: MlflowServer & PushOptions,
  renew: () => Promise<void>,
): Promise<PushSummary> {
  const failed: { key: string; error: LakeletError }[] = [];
  const pushed: LoggedTraining[] = [];
  let already = 0;
  for (const key of await inTimeOrder(store, failed)) {
    await renew();
    try {
      const { experimentName, training } = await readRecord(store, key);
      const { features, target } = training.heldOut;
      const canScore = features !== undefined && target !== undefined;
      const logged = await withTrainingLease(store, training.runId, () =>
        logOnServer(server, experimentName, training, canScore ? server.evaluateChampion : undefined),
      );
      await markPushed(store, server, training.runId, logged);
      if (logged.already) already++;
      else {
        pushed.push(logged);
        server.onPushed?.(logged);
      }
    } catch (error) {
      if (!(error instanceof LakeletError) || !isOfRecord(error)) throw error;
      failed.push({ key, error });
    }
  }
  return { pushed, already, failed };
}

async function inTimeOrder(store: ObjectStore, failed: { key: string; error: LakeletError }[]): Promise<string[]> {
  const starts: { key: string; start: number }[] = [];
  for (const key of await recordKeys(store)) {
    try {
      starts.push({ key, start: await recordStart(store, key) });
    } catch (error) {
      if (!(error instanceof LakeletError) || !isOfRecord(error)) throw error;
      failed.push({ key, error });
    }
  }
  return starts.sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1)).map(({ key }) => key);
}

/** True where one record is at fault, so that the others may still go. */
function isOfRecord(error: LakeletError): boolean {
  if (error instanceof MlflowRefusal) return error.status === 400;
  return ['MLFLOW_RECORD_CORRUPT', 'NOT_FOUND', 'TRAINING_INVALID'].includes(error.code);
}

/** Notes beside the records where one of them went: `pushed/<server>/<run id>.json`. */
export async function markPushed(
  store: ObjectStore,
  server: MlflowServer,
  runId: string,
  logged: LoggedTraining,
): Promise<void> {
  const { origin, pathname } = new URL(server.trackingUri);
  const key = `pushed/${keyPart(`${origin}${pathname}`)}/${keyPart(runId)}.json`;
  const mark = {
    trackingUri: server.trackingUri,
    lakeletRunId: runId,
    runId: logged.runId,
    modelVersion: logged.modelVersion,
    champion: logged.champion,
    reason: logged.reason,
  };
  await store.put(key, new TextEncoder().encode(`${JSON.stringify(mark)}\n`));
}
