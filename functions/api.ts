import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { purchases } from '../datasets/purchases/index.ts';
import { type Api, createApi } from '../lib/api/api.ts';
import { failureAnswer } from '../lib/api/failure.ts';
import type { HttpAnswer, HttpRequest } from '../lib/api/http.ts';
import { lambdaRunner } from '../lib/api/lambda-runner.ts';
import { stepFunctionsRunner } from '../lib/api/step-functions-runner.ts';
import { loadConfig } from '../lib/config.ts';
import { asLakeletError, printable } from '../lib/errors.ts';
import { logger } from '../lib/logger.ts';

let api: Api | undefined;

/** The Lambda function of the HTTP API (payload format 2.0). */
export async function handler(event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const { status, body, headers } = await answerTo(event);
  return {
    statusCode: status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

async function answerTo(event: APIGatewayProxyEventV2): Promise<HttpAnswer> {
  try {
    api ??= open();
    return await api.answer(requestOf(event));
  } catch (thrown) {
    // What is wrong with the settings, or with an event that is no request; without settings there is no logger.
    const error = asLakeletError(thrown, 'INTERNAL', 'The request failed');
    process.stderr.write(`error ${error.code}: ${printable(error.message, 1000)}\n`);
    return failureAnswer(error);
  }
}

function open(): Api {
  const { STATE_MACHINE_ARN: stateMachine = '', EXECUTE_FUNCTION_URL: executeFunction = '' } = process.env;
  const runner =
    stateMachine !== ''
      ? stepFunctionsRunner(stateMachine)
      : executeFunction !== ''
        ? lambdaRunner(executeFunction)
        : undefined;
  return createApi({
    config: loadConfig(),
    model: `${purchases.model.name}@champion`,
    ...(purchases.model.unit !== undefined && { units: { [purchases.model.name]: purchases.model.unit } }),
    log: logger('api'),
    ...(runner !== undefined && { runner }),
  });
}

function requestOf(event: APIGatewayProxyEventV2): HttpRequest {
  const { body, isBase64Encoded, queryStringParameters, rawPath, requestContext, headers } = event;
  return {
    method: requestContext.http.method.toUpperCase(),
    path: rawPath,
    query: queryStringParameters ?? {},
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    // Absent, null, text, or the value itself of JSON such as false, by what serves the function.
    body: Buffer.from(typeof body === 'string' ? body : '', isBase64Encoded ? 'base64' : 'utf8'),
  };
}
