import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { type Api, createApi } from '../../../lib/api/api.ts';
import type { ExecutionRunner } from '../../../lib/api/executions.ts';
import type { HttpAnswer } from '../../../lib/api/http.ts';
import { type Config, loadConfig } from '../../../lib/config.ts';
import { logger } from '../../../lib/logger.ts';
import { recordsOf } from '../../../lib/pipeline/context.ts';
import { openStore } from '../../../lib/storage/index.ts';
import { Lakehouse } from '../pipeline/lakehouse.ts';

/** A lake in a folder of its own, on which the pipeline ran once, and the API over it. */
export class ApiLake {
  readonly folder = mkdtempSync(join(tmpdir(), 'lakelet-api-'));
  readonly config: Config = { ...loadConfig({ LAKE_URI: join(this.folder, 'lake') }), root: this.folder };
  readonly lake = openStore(this.config.lakeUri);
  readonly api: Api;

  constructor(runner?: ExecutionRunner) {
    const model = 'purchase-amount@champion';
    this.api = createApi({ config: this.config, model, log: logger('test'), ...(runner !== undefined && { runner }) });
  }

  async run(runId = 'first'): Promise<void> {
    await new Lakehouse(this.lake, recordsOf(this.config)).all({ runId });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const { pathname, searchParams } = new URL(`http://localhost${path}`);
    return this.ask('GET', pathname, { headers, query: Object.fromEntries(searchParams) });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return this.ask('POST', path, {
      headers: { 'content-type': 'application/json', ...headers },
      body: body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body)),
    });
  }

  ask(
    method: string,
    path: string,
    more: {
      readonly headers?: Record<string, string>;
      readonly query?: Record<string, string>;
      readonly body?: Uint8Array;
    } = {},
  ): Promise<HttpAnswer> {
    const { headers = {}, query = {}, body } = more;
    return this.api.answer({ method, path, query, headers: { host: 'localhost:3000', ...headers }, body });
  }

  remove(): void {
    this.api.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An {@link ApiLake} for all tests of a file. */
export function apiLake(): () => ApiLake {
  let made: ApiLake | undefined;
  beforeAll(async () => {
    made = new ApiLake();
    await made.run();
  });
  afterAll(() => made?.remove());
  return () => {
    if (made === undefined) throw new Error('The lake is made before the first test');
    return made;
  };
}
