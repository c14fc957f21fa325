import type { Config } from '../config.ts';
import { asLakeletError, LakeletError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { CODE_VERSION } from '../pipeline/code-version.ts';
import { loadServedModel } from '../serving/index.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';
import { type ExecutionRunner, readExecution, startExecution } from './executions.ts';
import { failureAnswer } from './failure.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { LIMITS } from './limits.ts';
import { openapi } from './openapi.ts';
import * as operations from './operations.ts';
import { checkOrigin } from './origin.ts';
import { answerPredictions } from './predictions.ts';
import { QueryRunner } from './query.ts';
import { dispatch, type Route, route } from './route.ts';
import { listTables, readTable } from './tables.ts';
import { within } from './within.ts';

/** What the API needs of its surroundings. */
export interface ApiOptions {
  readonly config: Config;
  /** The model that is asked where a request names none: `NAME@ALIAS`. */
  readonly model: string;
  /** What models predict is counted in, by their names. */
  readonly units?: Readonly<Record<string, string>>;
  /** What executes runs; absent where nothing does. */
  readonly runner?: ExecutionRunner;
  readonly log: Logger;
}

/** The HTTP API of a lake. */
export interface Api {
  /** Answers a request; what goes wrong is an answer as well. */
  answer(request: HttpRequest): Promise<HttpAnswer>;
  /** Ends what waits for further requests. */
  close(): void;
}

/** The API over the lake of the settings. */
export function createApi(options: ApiOptions): Api {
  const queries = new QueryRunner();
  const routes = routesOf(options, queries);
  return {
    async answer(request) {
      try {
        if (options.config.local) checkOrigin(request);
        return await within(LIMITS.answerSeconds, dispatch(routes, request));
      } catch (thrown) {
        const error = asLakeletError(thrown, 'INTERNAL', 'The request failed');
        const answer = failureAnswer(error);
        options.log[answer.status < 500 ? 'info' : 'error']({ err: error, status: answer.status }, 'request failed');
        return answer;
      }
    },
    close: () => queries.close(),
  };
}

function routesOf({ config, model, units = {}, runner, log }: ApiOptions, queries: QueryRunner): Route[] {
  const lake = openStore(config.lakeUri);
  return [
    route(operations.getOpenapi, async () => openapi()),
    route(operations.getHealth, async () => {
      await within(LIMITS.healthSeconds, listed(lake));
      return { status: 'ok', version: CODE_VERSION };
    }),
    route(operations.getTables, () => listTables(lake)),
    route(operations.getTable, (parameters) => readTable(lake, parameters)),
    route(operations.postQuery, (_, body) =>
      queries.run({ ...body, lakeUri: config.lakeUri, seconds: LIMITS.querySeconds }),
    ),
    route(operations.postPredictions, async (_, body) => {
      const served = await loadServedModel(config, body.model ?? model, { log });
      return answerPredictions(
        served,
        body.records,
        Object.hasOwn(units, served.name) ? units[served.name] : undefined,
      );
    }),
    route(operations.postExecutions, (_, body) => startExecution(lake, needed(runner), body)),
    route(operations.getExecution, ({ id }) => readExecution(lake, needed(runner), id)),
  ];
}

/** Ends where the store answers; the first key is enough to see it. */
async function listed(lake: ObjectStore): Promise<void> {
  for await (const _ of lake.list('')) break;
}

function needed(runner: ExecutionRunner | undefined): ExecutionRunner {
  if (runner !== undefined) return runner;
  throw new LakeletError(
    'EXECUTIONS_UNAVAILABLE',
    'Nothing here executes runs: set STATE_MACHINE_ARN for the function, or start them with lakelet run',
  );
}
