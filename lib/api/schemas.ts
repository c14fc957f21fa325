import { z } from 'zod';
import { silverEvent } from '../pipeline/events.ts';
import { modelReference, scoredRecord } from '../serving/index.ts';
import { LIMITS } from './limits.ts';

/** A whole number in a URL. */
function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return z.preprocess(
    (text) => (typeof text === 'string' && /^-?\d{1,16}$/.test(text) ? Number(text) : text),
    z.int(`a whole number from ${least} to ${most}`).min(least).max(most),
  );
}

/**
 * A part of a table's path: no path of its own, nothing hidden. All that is not ASCII counts as letters: the classes of
 * Unicode, such as \p{L}, are not known to every language that reads patterns out of the API's document.
 */
const pathPart = z
  .string()
  .regex(
    /^[0-9A-Za-z_\u00a1-\uffff][0-9A-Za-z_ .\u00a1-\uffff-]{0,127}$/,
    'a name has letters, digits, or any of _ - . and blanks, 128 at most',
  )
  .meta({ examples: ['silver'] });

const runId = silverEvent.shape.runId.unwrap();

const problem = z.strictObject({
  code: z.string().meta({ description: 'A stable word, for example TABLE_NOT_FOUND.' }),
  message: z.string(),
});

/** What every refusal and failure answers. */
export const errorAnswer = z.strictObject({ error: problem });

export const noParameters = z.strictObject({});

export const healthAnswer = z.strictObject({ status: z.literal('ok'), version: z.string() });

export const tablesAnswer = z.strictObject({
  tables: z.array(
    z.strictObject({
      layer: z
        .string()
        .nullable()
        .meta({ description: "The table's folder; null for one that lies at the lake's root." }),
      name: z.string(),
      version: z.int().min(0).nullable(),
      rows: z.int().min(0).nullable().meta({ description: 'null where a file does not say how many it holds.' }),
      bytes: z.int().min(0).nullable(),
      error: problem.optional().meta({ description: "Why the table can't be read." }),
    }),
  ),
});

export const tableParameters = z.strictObject({
  layer: pathPart,
  name: pathPart,
  version: wholeNumber(0).optional(),
  offset: wholeNumber(0).default(0),
  limit: wholeNumber(1, LIMITS.pageRows).default(100),
});

export const tableAnswer = z.strictObject({
  layer: z.string(),
  name: z.string(),
  version: z.int().min(0),
  schema: z.looseObject({ type: z.literal('struct'), fields: z.array(z.looseObject({ name: z.string() })) }),
  partitionColumns: z.array(z.string()),
  history: z
    .array(z.looseObject({ version: z.int().min(0), timestamp: z.string() }))
    .meta({ description: `The last ${LIMITS.historyEntries} commits up to the version, newest first.` }),
  rows: z.array(z.record(z.string(), z.unknown())),
  nextOffset: z
    .int()
    .min(1)
    .nullable()
    .meta({ description: 'The offset of the next page, to be asked for with the same version; null at the end.' }),
});

export const queryBody = z.strictObject({
  sql: z
    .string()
    .min(1)
    .max(LIMITS.sqlCharacters)
    .meta({ examples: ['SELECT count(*) AS n FROM silver.purchases'] }),
  limit: z.int().min(1).max(LIMITS.queryRows).default(1000),
});

export const queryAnswer = z.strictObject({
  columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
  rows: z.array(z.record(z.string(), z.unknown())),
  truncated: z.boolean().meta({ description: 'True where the result has more rows than are here.' }),
  tables: z.array(z.strictObject({ name: z.string(), version: z.int().min(0) })),
});

export const predictionsBody = z.strictObject({
  records: z
    .array(scoredRecord)
    .min(1)
    .max(LIMITS.records)
    .meta({ description: 'Each names all features of the model; null where a value is not known.' }),
  model: modelReference.optional(),
});

export const predictionsAnswer = z.strictObject({
  model: z.strictObject({ name: z.string(), version: z.string() }),
  predictions: z.array(z.number()).meta({ description: 'In the order of the records.' }),
  lower: z.array(z.number()).optional().meta({
    description: "Where the intervals around the predictions begin, of a model that has any; in the records' order.",
  }),
  upper: z.array(z.number()).optional().meta({ description: 'Where they end.' }),
  unit: z
    .string()
    .optional()
    .meta({ description: 'What the predictions are counted in, where the dataset declares it.' }),
  warnings: z
    .array(z.string())
    .optional()
    .meta({ description: 'Which categories the model does not know, so that they count as missing.' }),
});

/** The fields are those of a run's event, with its defaults; a run id is made up where none is given. */
export const executionBody = silverEvent.extend({ runId: runId.optional() });

export const executionParameters = z.strictObject({ id: runId });

export const executionAnswer = z.strictObject({
  id: runId,
  status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED']),
  attempt: z.int().min(1),
  input: z.record(z.string(), z.unknown()),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  output: z.unknown().optional(),
  error: problem.optional(),
});
