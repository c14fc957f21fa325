import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

type Json = Record<string, unknown>;

/** What the double keeps of a run. */
export interface RunState {
  readonly id: string;
  status: string;
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  readonly metrics: Map<string, unknown>;
  /** All points of metrics as they came. */
  readonly points: Json[];
  readonly inputs: unknown[];
}

/** A failure that is played instead of an answer: given the call's `METHOD path`, answers it itself and says true. */
export type Failure = (call: string, response: ServerResponse, request: IncomingMessage) => boolean;

/** An MLflow server of the calls that Lakelet makes, in memory; real enough to hold runs, models and aliases. */
export interface ServerDouble {
  readonly uri: string;
  readonly runs: RunState[];
  readonly files: Map<string, Buffer>;
  readonly versions: {
    version: string;
    runId: string;
    modelId: string;
    tags: Map<string, string>;
    description: string;
  }[];
  readonly aliases: Map<string, string>;
  /** Logged models and their status. */
  readonly models: Map<string, string>;
  readonly champion: string | undefined;
  /** All calls, in order. */
  readonly calls: string[];
  fail: Failure;
  close(): Promise<void>;
}

/** Starts one on a free port of loopback. */
export async function startServerDouble(): Promise<ServerDouble> {
  const double: Omit<ServerDouble, 'uri' | 'close'> = {
    runs: [],
    files: new Map(),
    versions: [],
    aliases: new Map(),
    models: new Map(),
    get champion() {
      return this.aliases.get('champion');
    },
    calls: [],
    fail: () => false,
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://double');
      const call = `${request.method} ${url.pathname.replace('/api/2.0/', '').replace('mlflow/', '')}`;
      double.calls.push(call);
      if (double.fail(call, response, request)) return;
      respond(double, call, url.searchParams, Buffer.concat(chunks), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(double, {
    uri: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function respond(
  double: Omit<ServerDouble, 'uri' | 'close'>,
  call: string,
  query: URLSearchParams,
  body: Buffer,
  response: ServerResponse,
): void {
  const send = (json: unknown, status = 200) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  const missing = () => send({ error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'not there' }, 404);
  if (call.startsWith('PUT mlflow-artifacts/')) {
    double.files.set(call.slice('PUT mlflow-artifacts/artifacts/'.length), body);
    return void send({});
  }
  if (call.startsWith('GET mlflow-artifacts/')) {
    const file = double.files.get(call.slice('GET mlflow-artifacts/artifacts/'.length));
    return void (file === undefined ? missing() : response.end(file));
  }
  const json: Json = body.length > 0 ? JSON.parse(body.toString()) : {};
  const run = double.runs.find(({ id }) => id === json.run_id);
  const version = double.versions.find((entry) => entry.version === (json.version ?? query.get('version')));
  const pairs = (name: string): Json[] => (Array.isArray(json[name]) ? json[name] : []);
  switch (call.replace(/PATCH logged-models\/.+/, 'PATCH logged-models/ID')) {
    case 'GET experiments/get-by-name':
      return void send({ experiment: { experiment_id: '1', lifecycle_stage: 'active' } });
    case 'POST runs/search':
      return void send({
        runs: double.runs
          .filter(({ tags }) => {
            const [, tag = '', value = ''] = /^tags\.`(.*)` = '(.*)'$/.exec(String(json.filter)) ?? [];
            return tags.get(tag) === value;
          })
          .map(runJson),
      });
    case 'POST runs/create': {
      const made: RunState = {
        id: `run${double.runs.length + 1}`,
        status: 'RUNNING',
        tags: new Map(),
        params: new Map(),
        metrics: new Map(),
        points: [],
        inputs: [],
      };
      for (const { key, value } of pairs('tags')) made.tags.set(String(key), String(value));
      double.runs.push(made);
      return void send({ run: runJson(made) });
    }
    case 'POST runs/log-batch':
      for (const { key, value } of pairs('tags')) run?.tags.set(String(key), String(value));
      for (const { key, value } of pairs('params')) run?.params.set(String(key), String(value));
      for (const { key, value } of pairs('metrics')) run?.metrics.set(String(key), value);
      run?.points.push(...pairs('metrics'));
      return void send({});
    case 'POST runs/log-inputs':
      run?.inputs.push(...pairs('datasets'));
      return void send({});
    case 'POST runs/update':
      if (run !== undefined) run.status = String(json.status);
      return void send({});
    case 'POST runs/set-tag':
      run?.tags.set(String(json.key), String(json.value));
      return void send({});
    case 'POST logged-models': {
      const id = `m-${json.source_run_id}`;
      double.models.set(id, 'LOGGED_MODEL_PENDING');
      return void send({
        model: { info: { model_id: id, artifact_uri: `mlflow-artifacts:/1/models/${id}/artifacts` } },
      });
    }
    case 'POST logged-models/search': {
      const id = `m-${/'(.*)'$/.exec(String(json.filter))?.[1]}`;
      const status = double.models.get(id);
      return void send(status === undefined ? {} : { models: [{ info: { model_id: id, status } }] });
    }
    case 'PATCH logged-models/ID':
      double.models.set(String(json.model_id), String(json.status));
      return void send({});
    case 'PATCH model-versions/update':
      if (version !== undefined) version.description = String(json.description);
      return void send({});
    case 'POST runs/outputs':
      return void send({});
    case 'POST registered-models/create':
      return void (double.versions.length > 0
        ? send({ error_code: 'RESOURCE_ALREADY_EXISTS', message: '' }, 400)
        : send({}));
    case 'GET registered-models/get':
      return void send({
        registered_model: {
          aliases: [...double.aliases].map(([alias, version]) => ({ alias, version })),
        },
      });
    case 'POST registered-models/alias':
      double.aliases.set(String(json.alias), String(json.version));
      return void send({});
    case 'GET model-versions/search': {
      const found = double.versions.filter(({ runId }) => query.get('filter')?.endsWith(`'${runId}'`));
      return void send({ model_versions: found.map(versionJson) });
    }
    case 'POST model-versions/create': {
      const made = {
        version: String(double.versions.length + 1),
        runId: String(json.run_id),
        modelId: String(json.model_id),
        tags: new Map<string, string>(),
        description: '',
      };
      for (const { key, value } of pairs('tags')) made.tags.set(String(key), String(value));
      double.versions.push(made);
      return void send({ model_version: versionJson(made) });
    }
    case 'GET model-versions/get':
      return void (version === undefined ? missing() : send({ model_version: versionJson(version) }));
    case 'GET model-versions/get-download-uri':
      return void (version === undefined
        ? missing()
        : send({ artifact_uri: `mlflow-artifacts:/1/models/${version.modelId}/artifacts` }));
    case 'POST model-versions/set-tag':
      version?.tags.set(String(json.key), String(json.value));
      return void send({});
    default:
      return void send({ error_code: 'ENDPOINT_NOT_FOUND', message: call }, 404);
  }
}

function runJson({ id, status, tags }: RunState): Json {
  return {
    info: { run_id: id, status, artifact_uri: `mlflow-artifacts:/1/${id}/artifacts` },
    data: { tags: list(tags) },
  };
}

function versionJson({ version, runId, tags }: ServerDouble['versions'][number]): Json {
  return { version, run_id: runId, tags: list(tags) };
}

function list(tags: ReadonlyMap<string, string>): Json[] {
  return [...tags].map(([key, value]) => ({ key, value }));
}
