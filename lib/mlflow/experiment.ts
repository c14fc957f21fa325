import { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import { call, refused, tryCall } from './client.ts';
import type { MlflowServer } from './http.ts';

const NAMED = z.object({
  experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string().default('active') }),
});

/**
 * The id of the experiment of that name, which is made where there is none.
 *
 * @throws LakeletError `MLFLOW_REFUSED` where it was deleted; as {@link call}
 */
export async function experimentId(server: MlflowServer, name: string): Promise<string> {
  const present = await find(server, name);
  if (present !== undefined) return present;
  const made = await tryCall(server, {
    method: 'POST',
    path: 'experiments/create',
    json: { name },
    answer: z.object({ experiment_id: z.string() }),
    repeatable: true,
  });
  if (made.ok) return made.value.experiment_id;
  // Another may have made it in between, or our own first try whose answer was lost.
  const again = await find(server, name);
  if (again !== undefined) return again;
  throw refused(server, 'experiments/create', made);
}

async function find(server: MlflowServer, name: string): Promise<string | undefined> {
  const path = 'experiments/get-by-name';
  const found = await tryCall(server, {
    method: 'GET',
    path,
    query: { experiment_name: name },
    answer: NAMED,
    repeatable: true,
  });
  if (found.ok) {
    const { experiment_id: id, lifecycle_stage: stage } = found.value.experiment;
    if (stage === 'active') return id;
    throw new LakeletError(
      'MLFLOW_REFUSED',
      `The experiment ${printable(name, 100)} of ${server.trackingUri} is deleted: restore it there (mlflow experiments restore -x ${printable(id, 40)}), or set MLFLOW_EXPERIMENT_NAME to another.`,
    );
  }
  if (found.errorCode === 'RESOURCE_DOES_NOT_EXIST') return undefined;
  throw refused(server, path, found);
}

/** An answer that says nothing. */
export const NOTHING = z.looseObject({});

/** One run of an experiment, as far as it matters here. */
export interface RunInfo {
  readonly runId: string;
  /** `RUNNING`, `FINISHED`, `FAILED`, … */
  readonly status: string;
  readonly artifactUri: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** A run as MLflow tells it. */
export const RUN = z
  .object({
    info: z.object({ run_id: z.string(), status: z.string(), artifact_uri: z.string().default('') }),
    data: z
      .object({ tags: z.array(z.object({ key: z.string(), value: z.string().default('') })).default([]) })
      .default({ tags: [] }),
  })
  .transform(
    ({ info, data }): RunInfo => ({
      runId: info.run_id,
      status: info.status,
      artifactUri: info.artifact_uri,
      tags: new Map(data.tags.map(({ key, value }) => [key, value])),
    }),
  );

/** All runs of an experiment, deleted ones too, whose tag has that value; newest first. */
export async function runsByTag(
  server: MlflowServer,
  experiment: string,
  tag: string,
  value: string,
): Promise<RunInfo[]> {
  const runs: RunInfo[] = [];
  let token: string | undefined;
  do {
    const page: { runs: RunInfo[]; next_page_token?: string | undefined } = await call(server, {
      method: 'POST',
      path: 'runs/search',
      json: {
        experiment_ids: [experiment],
        filter: `tags.\`${tag}\` = ${quoted(value)}`,
        run_view_type: 'ALL',
        max_results: 1000,
        ...(token !== undefined && { page_token: token }),
      },
      answer: z.object({ runs: z.array(RUN).default([]), next_page_token: z.string().optional() }),
      repeatable: true,
    });
    // MLflow compares with LIKE's rules on some databases: what it finds is looked at again.
    runs.push(...page.runs.filter((run) => run.tags.get(tag) === value));
    token = page.next_page_token;
  } while (token !== undefined && token !== '');
  return runs;
}

/** A string of MLflow's search language: it knows no escape, but takes either quote. */
export function quoted(value: string): string {
  if (!value.includes("'")) return `'${value}'`;
  if (!value.includes('"')) return `"${value}"`;
  throw new LakeletError(
    'TRAINING_INVALID',
    `MLflow can't search for ${printable(value, 100)}, which holds both kinds of quotes.`,
  );
}
