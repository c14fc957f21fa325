import { z } from 'zod';
import type { Operation } from './route.ts';
import * as schemas from './schemas.ts';

/** Keeps the types of an operation's schemas. */
function operation<Parameters, Body, Answer>(
  told: Operation<Parameters, Body, Answer>,
): Operation<Parameters, Body, Answer> {
  return told;
}

export const getOpenapi = operation({
  id: 'getOpenapi',
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  parameters: schemas.noParameters,
  status: 200,
  answer: z.record(z.string(), z.unknown()),
  errors: [],
});

export const getHealth = operation({
  id: 'getHealth',
  method: 'GET',
  path: '/health',
  summary: 'Whether the lake can be reached',
  parameters: schemas.noParameters,
  status: 200,
  answer: schemas.healthAnswer,
  errors: [],
});

export const getTables = operation({
  id: 'getTables',
  method: 'GET',
  path: '/tables',
  summary: "The lake's tables",
  parameters: schemas.noParameters,
  status: 200,
  answer: schemas.tablesAnswer,
  errors: [],
});

export const getTable = operation({
  id: 'getTable',
  method: 'GET',
  path: '/tables/{layer}/{name}',
  summary: 'A table: its schema, its last commits, and a page of its rows',
  parameters: schemas.tableParameters,
  status: 200,
  answer: schemas.tableAnswer,
  errors: ['TABLE_NOT_FOUND', 'VERSION_NOT_FOUND', 'UNSUPPORTED_FEATURE', 'ROW_TOO_LARGE'],
});

export const postQuery = operation({
  id: 'postQuery',
  method: 'POST',
  path: '/query',
  summary: "One SELECT over the lake's tables",
  parameters: schemas.noParameters,
  body: schemas.queryBody,
  status: 200,
  answer: schemas.queryAnswer,
  errors: [
    'QUERY_INVALID',
    'QUERY_NOT_READ_ONLY',
    'QUERY_REFUSED',
    'TABLE_NOT_FOUND',
    'QUERY_TIMEOUT',
    'QUERY_CRASHED',
    'QUERY_TOO_LARGE',
    'ROW_TOO_LARGE',
    'TABLE_AMBIGUOUS',
    'UNSUPPORTED_FEATURE',
  ],
});

export const postPredictions = operation({
  id: 'postPredictions',
  method: 'POST',
  path: '/predictions',
  summary: 'Scores records with a model of the registry, the champion where none is named',
  parameters: schemas.noParameters,
  body: schemas.predictionsBody,
  status: 200,
  answer: schemas.predictionsAnswer,
  errors: ['PREDICTION_INVALID', 'MODEL_NOT_FOUND', 'MODEL_UNSUITABLE', 'MODEL_RUNTIME_MISSING'],
});

export const postExecutions = operation({
  id: 'postExecutions',
  method: 'POST',
  path: '/executions',
  summary: 'Starts a run of the pipeline; with the id of a run that is under way or done, tells of that one',
  parameters: schemas.noParameters,
  body: schemas.executionBody,
  status: 202,
  answer: schemas.executionAnswer,
  errors: ['RUN_ID_REUSED', 'EXECUTIONS_UNAVAILABLE'],
});

export const getExecution = operation({
  id: 'getExecution',
  method: 'GET',
  path: '/executions/{id}',
  summary: 'A run that was started here',
  parameters: schemas.executionParameters,
  status: 200,
  answer: schemas.executionAnswer,
  errors: ['EXECUTION_NOT_FOUND', 'EXECUTIONS_UNAVAILABLE'],
});

/** All operations, in the order of the document. */
export const OPERATIONS = [
  getHealth,
  getTables,
  getTable,
  postQuery,
  postPredictions,
  postExecutions,
  getExecution,
  getOpenapi,
] as const;
