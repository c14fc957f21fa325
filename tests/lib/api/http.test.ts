import { describe, expect, jest, test } from '@jest/globals';
import { LIMITS } from '../../../lib/api/limits.ts';
import { FileStore } from '../../../lib/storage/file-store.ts';
import { apiLake } from './lake.ts';

const lake = apiLake();
const bytes = (text: string) => new TextEncoder().encode(text);

describe('the API', () => {
  test('is well where the lake answers', async () => {
    expect(await lake().get('/health')).toEqual({ status: 200, body: { status: 'ok', version: expect.any(String) } });
  });

  test('is not well where the store does not answer, and says so soon', async () => {
    const away = jest.spyOn(FileStore.prototype, 'list').mockImplementation(async function* () {
      yield await new Promise<never>(() => undefined);
    });
    try {
      const answer = await lake().get('/health');
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'ANSWER_LATE' } } });
    } finally {
      away.mockRestore();
    }
  }, 20_000);

  test.each([
    ['GET', '/', 404, 'NOT_FOUND'],
    ['GET', '/nope', 404, 'NOT_FOUND'],
    ['GET', '/tables/a/b/c', 404, 'NOT_FOUND'],
    ['GET', '//tables', 404, 'NOT_FOUND'],
    ['GET', '/__proto__', 404, 'NOT_FOUND'],
    ['GET', '/%', 400, 'REQUEST_INVALID'],
    ['POST', '/tables', 405, 'METHOD_NOT_ALLOWED'],
    ['DELETE', '/tables/silver/purchases', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/query', 405, 'METHOD_NOT_ALLOWED'],
    ['POST', '/executions', 415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['GET', '/executions/x', 501, 'EXECUTIONS_UNAVAILABLE'],
  ])('answers %s %s with %i', async (method, path, status, code) => {
    expect(await lake().ask(method, path)).toMatchObject({
      status,
      body: { error: { code, message: expect.any(String) } },
    });
  });

  test('tells by a header which method goes with a path', async () => {
    expect(await lake().ask('TRACE', '/tables')).toMatchObject({ status: 405, headers: { Allow: 'GET' } });
    expect(await lake().ask('GET', '/query')).toMatchObject({ status: 405, headers: { Allow: 'POST' } });
  });

  test('takes JSON alone, whole, and not too much of it', async () => {
    const ask = (body: Uint8Array, type = 'application/json') => lake().post('/query', body, { 'content-type': type });
    expect(await ask(bytes('{"sql":"SELECT 1"}'), 'application/json; charset=utf-8')).toMatchObject({ status: 200 });
    expect(await ask(bytes('{"sql":"SELECT 1"}'), 'text/plain')).toMatchObject({ status: 415 });
    expect(await ask(bytes('{"sql":"SELECT 1"}'), 'application/jsonx')).toMatchObject({ status: 415 });
    for (const text of ['', '{', '[]', 'null', '1', '"x"', '{"sql":1}', '{}', '{"sql":""}', '{"sql":"x","y":1}']) {
      expect(await ask(bytes(text))).toMatchObject({ status: 400, body: { error: { code: 'REQUEST_INVALID' } } });
    }
    expect(await ask(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ status: 400 });
    expect(await ask(new Uint8Array(LIMITS.bodyBytes + 1))).toMatchObject({ status: 413 });
    const long = JSON.stringify({ sql: `SELECT '${'x'.repeat(LIMITS.sqlCharacters)}'` });
    expect(await ask(bytes(long))).toMatchObject({ status: 400 });
  });

  test('answers no page of another site, by whatever name it comes', async () => {
    const ask = (headers: Record<string, string>) => lake().get('/health', headers);
    expect(await ask({ origin: 'http://localhost:3000' })).toMatchObject({ status: 200 });
    expect(await ask({ host: '127.0.0.1:3000' })).toMatchObject({ status: 200 });
    expect(await ask({ host: '[::1]:3000' })).toMatchObject({ status: 200 });
    const refused = { status: 403, body: { error: { code: 'ORIGIN_REFUSED' } } };
    expect(await ask({ origin: 'https://example.org' })).toMatchObject(refused);
    expect(await ask({ origin: 'http://localhost:5173' })).toMatchObject(refused);
    expect(await ask({ origin: 'null' })).toMatchObject(refused);
    expect(await ask({ host: 'example.org:3000' })).toMatchObject(refused);
    expect(await ask({ host: 'localhost.example.org' })).toMatchObject(refused);
    expect(await ask({ host: '' })).toMatchObject(refused);
  });
});
