import type { z } from 'zod';
import { LakeletError, printable } from '../errors.ts';
import { failureAnswer } from './failure.ts';
import { type HttpAnswer, type HttpRequest, jsonBody, pathParts } from './http.ts';

/** One operation of the API, as the OpenAPI document tells it. */
export interface Operation<Parameters, Body, Answer> {
  /** Its operationId. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** With its parameters in braces: `/tables/{layer}/{name}`. */
  readonly path: string;
  readonly summary: string;
  /** Those of the path and of the query together. */
  readonly parameters: z.ZodType<Parameters>;
  readonly body?: z.ZodType<Body>;
  /** The status of an answer that is no error. */
  readonly status: number;
  readonly answer: z.ZodType<Answer>;
  /** The codes of the errors that are the operation's own. */
  readonly errors: readonly string[];
}

/** An operation with what does it. */
export interface Route {
  // biome-ignore lint/suspicious/noExplicitAny: a list holds operations of all kinds
  readonly operation: Operation<any, any, any>;
  readonly handle: (parameters: Readonly<Record<string, string>>, request: HttpRequest) => Promise<HttpAnswer>;
}

/** Puts an operation and its code together; what reaches the code has been checked. */
export function route<Parameters, Body, Answer>(
  operation: Operation<Parameters, Body, Answer>,
  work: (parameters: Parameters, body: Body) => Promise<Answer>,
): Route {
  return {
    operation,
    async handle(parameters, request) {
      const checked = valid(operation.parameters, parameters, '');
      // Without a schema the operation takes no body.
      const body = operation.body === undefined ? undefined : valid(operation.body, jsonBody(request), 'body');
      return { status: operation.status, body: await work(checked, body as Body) };
    },
  };
}

/**
 * Finds the route of a request, and does it.
 *
 * @returns its answer, or that the method does not go with the path
 * @throws LakeletError `NOT_FOUND`, `REQUEST_INVALID`, and what the route's code throws
 */
export async function dispatch(routes: readonly Route[], request: HttpRequest): Promise<HttpAnswer> {
  const parts = pathParts(request.path);
  const found = routes.flatMap((each) => {
    const inPath = match(each.operation.path, parts);
    return inPath === undefined ? [] : [{ ...each, inPath }];
  });
  const fitting = found.find(({ operation }) => operation.method === request.method);
  if (fitting !== undefined) return fitting.handle({ ...given(request.query), ...fitting.inPath }, request);
  const shown = printable(request.path, 200);
  if (found.length === 0) {
    throw new LakeletError('NOT_FOUND', `There is nothing at ${shown}; GET /openapi.json tells what there is`);
  }
  const methods = found.map(({ operation }) => operation.method).join(', ');
  const text = `${printable(request.method, 20)} does not go with ${shown}; ${methods} does`;
  // Which do is told by a header as well (https://www.rfc-editor.org/rfc/rfc9110#name-405-method-not-allowed).
  return { ...failureAnswer(new LakeletError('METHOD_NOT_ALLOWED', text)), headers: { Allow: methods } };
}

function given(query: HttpRequest['query']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  );
}

function match(path: string, parts: readonly string[]): Record<string, string> | undefined {
  const names = pathParts(path);
  if (names.length !== parts.length) return undefined;
  const values: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    const part = parts[at] ?? '';
    const parameter = /^\{(\w+)\}$/.exec(name)?.[1];
    if (parameter !== undefined) values[parameter] = part;
    else if (name !== part) return undefined;
  }
  return values;
}

function valid<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 5).map(({ path, message }) => {
    const place = [...(where === '' ? [] : [where]), ...path.map(String)].join('.');
    return printable(place === '' ? message : `${place}: ${message}`, 200);
  });
  throw new LakeletError('REQUEST_INVALID', `The request can't be used: ${problems.join('; ')}`);
}
