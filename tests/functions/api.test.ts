import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { handler } from '../../functions/api.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-api-'));
});
afterAll(() => {
  delete process.env.LAKE_URI;
  rmSync(folder, { recursive: true, force: true });
});

/** An event as an HTTP API of AWS makes it. */
function event(method: string, rawPath: string, more: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: '',
    headers: { Host: '127.0.0.1:3000' },
    requestContext: {
      accountId: '1',
      apiId: 'a',
      domainName: 'd',
      domainPrefix: 'd',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: '' },
      requestId: 'r',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
    },
    isBase64Encoded: false,
    ...more,
  };
}

describe('the Lambda function of the HTTP API', () => {
  it('answers also where its settings are wrong, and recovers with them', async () => {
    process.env.LAKE_URI = 'ftp://example.org/lake';
    const answer = await handler(event('GET', '/health'));
    expect(answer).toMatchObject({ statusCode: 500, headers: { 'Content-Type': 'application/json' } });
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ error: { code: 'INVALID_URI' } });
    process.env.LAKE_URI = join(folder, 'lake');
    expect(await handler(event('GET', '/health'))).toMatchObject({ statusCode: 200 });
  });

  it('takes a body that is no text for none, as serverless-offline gives it for the JSON false', async () => {
    const headers = { Host: '127.0.0.1:3000', 'Content-Type': 'application/json' };
    const body: unknown = false;
    const answer = await handler(event('POST', '/query', { headers, body: body as string }));
    expect(answer.statusCode).toBe(400);
  });

  it('tells which method goes with a path', async () => {
    expect(await handler(event('PUT', '/tables'))).toMatchObject({ statusCode: 405, headers: { Allow: 'GET' } });
  });

  it('answers in JSON that no browser takes for anything else, nor keeps', async () => {
    expect(await handler(event('GET', '/tables'))).toEqual({
      statusCode: 200,
      headers: {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
      },
      body: '{"tables":[]}',
    });
  });

  it('takes parameters, headers in any case, and bodies as text or base64', async () => {
    const refused = await handler(event('GET', '/tables/a/b', { queryStringParameters: { limit: '0' } }));
    expect(refused).toMatchObject({ statusCode: 400, body: expect.stringContaining('limit') });
    const headers = { host: 'localhost', 'Content-TYPE': 'application/json' };
    for (const isBase64Encoded of [false, true]) {
      const text = JSON.stringify({ records: [] });
      const body = isBase64Encoded ? Buffer.from(text).toString('base64') : text;
      const answer = await handler(event('POST', '/predictions', { headers, body, isBase64Encoded }));
      expect(answer).toMatchObject({ statusCode: 400, body: expect.stringContaining('body.records') });
    }
  });

  it('says that nothing executes runs where nothing does', async () => {
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    expect(await handler(event('POST', '/executions', { headers, body: '{}' }))).toMatchObject({ statusCode: 501 });
  });

  it('answers an event that is no request', async () => {
    const answer = await Reflect.apply(handler, undefined, [{}]);
    expect(answer).toMatchObject({ statusCode: 500, body: expect.stringContaining('INTERNAL') });
  });
});
