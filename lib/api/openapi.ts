import { z } from 'zod';
import { CODE_VERSION } from '../pipeline/code-version.ts';
import { STATUSES } from './failure.ts';
import { OPERATIONS } from './operations.ts';
import { errorAnswer } from './schemas.ts';

type Json = Record<string, unknown>;
type Told = (typeof OPERATIONS)[number];

/** Errors that any operation may answer with. */
const COMMON = ['REQUEST_INVALID', 'ORIGIN_REFUSED'];
const OF_BODIES = ['BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED'];
const OF_THE_SERVER = [500, 503];

/** The API as an OpenAPI 3.1 document, made from the schemas that requests are checked with. */
export function openapi(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: described(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lakelet',
      version: CODE_VERSION,
      description: 'Reads a lake, scores records with its model, and starts runs.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost:3000', description: 'npm run offline' }],
    paths,
    components: { schemas: { Error: schemaOf(errorAnswer, 'output') } },
  };
}

function described(operation: Told): Json {
  const { id, summary, status, answer } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...('body' in operation && {
      requestBody: { required: true, content: json(schemaOf(operation.body, 'input')) },
    }),
    responses: {
      [String(status)]: { description: summary, content: json(schemaOf(answer, 'output')) },
      ...errorsOf(operation),
    },
  };
}

function parametersOf({ path, parameters }: Told): Json[] {
  const { properties } = schemaOf(parameters, 'output') as { properties?: Record<string, Json> };
  return Object.entries(properties ?? {}).map(([name, schema]) => {
    const inPath = path.includes(`{${name}}`);
    return { name, in: inPath ? 'path' : 'query', required: inPath, schema };
  });
}

function errorsOf(operation: Told): Json {
  const codes = [...COMMON, ...('body' in operation ? OF_BODIES : []), ...operation.errors];
  const byStatus = new Map<number, string[]>(OF_THE_SERVER.map((status) => [status, []]));
  for (const code of codes) {
    const status = STATUSES[code];
    if (status === undefined) throw new TypeError(`${code} has no status`);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      String(status),
      {
        description: of.length > 0 ? of.join(', ') : status === 503 ? 'It may pass; try again' : 'The log tells why',
        content: json({ $ref: '#/components/schemas/Error' }),
      },
    ]),
  );
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
