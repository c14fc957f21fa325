import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { createApi } from '../../../lib/api/api.ts';
import { execute } from '../../../lib/api/execute.ts';
import type { HttpAnswer } from '../../../lib/api/http.ts';
import { openapi } from '../../../lib/api/openapi.ts';
import { logger } from '../../../lib/logger.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { ApiLake } from './lake.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: object }> }>;
}

const TYPE = 'application/json';
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/openapi.json'), 'utf8'));
const operations = new Map<string, { readonly path: string; readonly operation: Operation }>();
for (const [path, methods] of Object.entries<Record<string, Operation>>(document.paths)) {
  for (const operation of Object.values(methods)) operations.set(operation.operationId, { path, operation });
}
const ajv = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true });
formats.default(ajv);
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'api', components: document.components });

function compiled(schema: object): ValidateFunction {
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components')));
}

function told(id: string): Operation {
  const found = operations.get(id);
  if (found === undefined) throw new Error(`There is no operation ${id}`);
  return found.operation;
}

/** Holds an answer to what the document says of its status. */
function hold(id: string, { status, body }: HttpAnswer): void {
  const response = told(id).responses[String(status)];
  if (response === undefined) throw new Error(`${id} does not tell of status ${status}: ${JSON.stringify(body)}`);
  const validate = compiled(response.content[TYPE]?.schema ?? {});
  if (!validate(JSON.parse(JSON.stringify(body))))
    throw new Error(`${id} ${status}: ${ajv.errorsText(validate.errors)}`);
}

describe('the OpenAPI document', () => {
  test('is what the schemas of the API make', () => {
    expect(document).toEqual(JSON.parse(JSON.stringify(openapi())));
  });

  test('has patterns that other languages read as well', () => {
    const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) =>
      JSON.parse(text),
    );
    expect(patterns.length).toBeGreaterThan(5);
    // Classes and code points of JavaScript's flag u, and its named groups.
    expect(patterns.filter((pattern) => /\\[pPk]|\\u\{|\(\?</.test(pattern))).toEqual([]);
  });

  test('is sound: ids are unique, parameters of paths are told, and each schema is a JSON Schema', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(operations.size).toBe(8);
    for (const { path, operation } of operations.values()) {
      const { parameters = [], requestBody, responses } = operation;
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(inPath);
      expect(parameters.every((each) => each.in !== 'path' || each.required)).toBe(true);
      for (const { schema } of parameters) compiled(schema);
      compiled(requestBody?.content[TYPE]?.schema ?? {});
      for (const { content } of Object.values(responses)) compiled(content[TYPE]?.schema ?? {});
    }
  });
});

describe('what the document says', () => {
  let lake: ApiLake;
  const started: { id: string; attempt: number }[] = [];
  beforeAll(async () => {
    lake = new ApiLake({ start: async (record) => void started.push(record), follow: async (record) => record });
    await lake.run();
  });
  afterAll(() => lake.remove());

  const record = {
    age: 30,
    income: 5e4,
    education: 'PhD',
    product_category: 'Books',
    quarter: 1,
    month: 2,
    day_of_week: 3,
    hour: 12,
    is_weekend: false,
  };

  test.each([
    ['getOpenapi', 200, () => lake.get('/openapi.json')],
    ['getHealth', 200, () => lake.get('/health')],
    ['getHealth', 400, () => lake.get('/health?x=1')],
    ['getHealth', 403, () => lake.get('/health', { origin: 'http://example.org' })],
    ['getTables', 200, () => lake.get('/tables')],
    ['getTable', 200, () => lake.get('/tables/silver/purchases?limit=3')],
    ['getTable', 200, () => lake.get('/tables/ops/runs')],
    ['getTable', 400, () => lake.get('/tables/silver/purchases?limit=x')],
    ['getTable', 404, () => lake.get('/tables/silver/nope')],
    ['postQuery', 200, () => lake.post('/query', { sql: 'FROM silver.purchases', limit: 2 })],
    ['postQuery', 400, () => lake.post('/query', { sql: 'SELEC' })],
    ['postQuery', 403, () => lake.post('/query', { sql: 'DROP TABLE x' })],
    ['postQuery', 404, () => lake.post('/query', { sql: 'FROM nope' })],
    ['postQuery', 413, () => lake.post('/query', new Uint8Array(6e6))],
    ['postQuery', 415, () => lake.post('/query', {}, { 'content-type': 'text/plain' })],
    ['postQuery', 422, () => lake.post('/query', { sql: "SELECT repeat('x', 5000000)" })],
    ['postPredictions', 200, () => lake.post('/predictions', { records: [record] })],
    ['postPredictions', 400, () => lake.post('/predictions', { records: [{}] })],
    ['postPredictions', 404, () => lake.post('/predictions', { records: [record], model: 'x@1' })],
    ['postExecutions', 202, () => lake.post('/executions', { runId: 'r', rows: 10 })],
    ['postExecutions', 409, () => lake.post('/executions', { runId: 'r', rows: 11 })],
    ['getExecution', 200, () => lake.get('/executions/r')],
    ['getExecution', 404, () => lake.get('/executions/nope')],
  ])('holds for %s with %i', async (id, status, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    hold(id, answer);
  });

  test('holds for an execution that succeeded, and for one that failed', async () => {
    await lake.post('/executions', { runId: 'good' });
    await execute(lake.lake, { id: 'good', attempt: 1 }, async () => ({ status: 'SUCCEEDED', output: { rows: 1 } }));
    hold('getExecution', await lake.get('/executions/good'));
    await lake.post('/executions', { runId: 'bad' });
    await execute(lake.lake, { id: 'bad', attempt: 1 }, async () => ({ status: 'FAILED', error: 'E', cause: 'c' }));
    hold('getExecution', await lake.get('/executions/bad'));
    expect(started.map(({ id }) => id)).toEqual(expect.arrayContaining(['good', 'bad']));
  });

  test('holds where the lake can not be read', async () => {
    const config = { ...lake.config, lakeUri: join(lake.folder, 'lake', 'bronze', 'purchases', 'x\0') };
    expect(() => openStore(config.lakeUri)).toThrow();
    const file = { ...lake.config, lakeUri: join(import.meta.dirname, 'openapi.test.ts') };
    const broken = createApi({ config: file, model: 'x@1', log: logger('test') });
    const headers = { host: 'localhost' };
    hold('getTables', await broken.answer({ method: 'GET', path: '/tables', query: {}, headers }));
    broken.close();
  });

  /** Bodies at and beyond the limits of what a request may be; none starts anything that takes long. */
  const bodies: Readonly<Record<string, readonly unknown[]>> = {
    postQuery: [
      { sql: 'SELECT 1' },
      { sql: 'SELECT 1', limit: 10_000 },
      { sql: 'SELECT 1', limit: 10_001 },
      { sql: 'SELECT 1', limit: 0 },
      { sql: 'SELECT 1', limit: 1.5 },
      { sql: 'SELECT 1', limit: '1' },
      { sql: '' },
      { sql: 'x'.repeat(100_001) },
      { limit: 1 },
      { sql: 'SELECT 1', more: 1 },
      [],
      null,
    ],
    postPredictions: [
      { records: [record] },
      { records: [] },
      { records: [record, 1] },
      { records: [{ ...record, age: [1] }] },
      { records: Array.from({ length: 10_001 }, () => ({})) },
      { records: [record], model: 'a' },
      { records: [record], model: 'a@b@c' },
      { records: [record], model: 'purchase-amount@1' },
      { records: [record], more: 1 },
    ],
    postExecutions: [
      {},
      { runId: 'a b' },
      { runId: '' },
      { runId: 'x'.repeat(101) },
      { rows: 0 },
      { rows: 1_000_000_001 },
      { rows: 1.5 },
      { seed: -1 },
      { seed: 2 ** 53 },
      { shards: 1001 },
      { trees: 0 },
      { algorithm: 'bagging' },
      { split: 'hour' },
      { maxDepth: 1001 },
      { baseline: 'true' },
      { shard: 1 },
      { rows: 10, trees: 1, maxDepth: 1, shards: 2, seed: 0, baseline: true, algorithm: 'boosting', split: 'time' },
    ],
  };

  test.each(Object.keys(bodies))('of the bodies of %s is what the code says', async (id) => {
    const { path, operation } = operations.get(id) ?? { path: '', operation: told(id) };
    const validate = compiled(operation.requestBody?.content[TYPE]?.schema ?? {});
    let [taken, refused] = [0, 0];
    for (const body of bodies[id] ?? []) {
      const { status, body: answer } = await lake.post(path, body);
      const code = (answer as { error?: { code: string } }).error?.code;
      const isTaken = code !== 'REQUEST_INVALID';
      expect({ body, taken: validate(body) }).toEqual({ body, taken: isTaken });
      expect(status < 500).toBe(true);
      if (isTaken) taken++;
      else refused++;
    }
    expect(Math.min(taken, refused)).toBeGreaterThan(0);
  });

  test.each([
    ['layer', ['silver', 'größe 2', '..', '.x', 'a/b', 'a\\b', 'x'.repeat(128), 'x'.repeat(129), '']],
    ['limit', [1, 1000, 1001, 0, -1, 1.5]],
    ['version', [0, -1, 0.5]],
    ['offset', [0, 5, -1]],
  ])('of the parameter %s is what the code says', async (name, values) => {
    const schema = told('getTable').parameters?.find((each) => each.name === name)?.schema;
    const validate = compiled(schema ?? {});
    for (const value of values) {
      const encoded = encodeURIComponent(value).replaceAll('.', '%2e');
      const path = name === 'layer' ? `/tables/${encoded}/purchases` : '/tables/silver/purchases';
      const query: Record<string, string> = name === 'layer' ? {} : { [name]: String(value) };
      const { body } = await lake.ask('GET', path, { query });
      const isTaken = (body as { error?: { code: string } }).error?.code !== 'REQUEST_INVALID';
      expect({ value, taken: validate(value) }).toEqual({ value, taken: isTaken });
    }
  });
});
