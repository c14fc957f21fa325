import { messageOf, printable } from '../errors.ts';
import type { FeatureColumn } from '../forest/index.ts';
import { checkedColumns, predictionInvalid } from './columns.ts';
import { type GraphValue, type InputPlan, planInputs } from './input-plan.ts';
import type { Scorer } from './model.ts';
import { type InferenceSession, onnxRuntime, runtimeMissing, type Tensor } from './onnx-runtime.ts';
import { readSignature } from './signature.ts';
import { unsuitable } from './unsuitable.ts';

/** The files of a model of another maker. */
export interface OnnxFiles {
  readonly onnx: Uint8Array;
  /** What the model takes. */
  readonly mlmodel: Uint8Array;
  /** Files beside the model that hold its large tensors, by their names in it. */
  readonly external: ReadonlyMap<string, Uint8Array>;
}

/** The rows that the runtime is given at once. */
const ROWS_AT_ONCE = 16_384;

/**
 * Scores with an ONNX model that another program trained and logged to MLflow by its onnx flavor. Its graph has to agree
 * with its signature, and to give one number a record.
 *
 * @param reference what the model is called in errors
 * @throws LakeletError `MODEL_UNSUITABLE`, `MODEL_RUNTIME_MISSING`
 */
export async function onnxScorer({ onnx, mlmodel, external }: OnnxFiles, reference: string): Promise<Scorer> {
  const signature = await readSignature(mlmodel, reference);
  const { InferenceSession, Tensor } = await onnxRuntime();
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(onnx, {
      executionProviders: ['wasm'],
      // Errors alone: its warnings are for whoever made the model.
      logSeverityLevel: 3,
      externalData: [...external].map(([path, data]) => ({ path, data })),
    });
  } catch (cause) {
    if (messageOf(cause).startsWith('no available backend found')) throw runtimeMissing(cause);
    throw unsuitable(reference, `ONNX Runtime can't load it (${printable(messageOf(cause), 300)})`, cause);
  }
  const plans = planInputs(signature, session.inputMetadata.map(graphValue), reference);
  const output = outputOf(session, reference);
  const features = plans.flatMap((plan) => plan.features);
  return {
    features,
    hasIntervals: false,
    async score(given, first = 0) {
      const columns = checkedColumns(features, given, first);
      const rows = rowsOf(columns);
      const predicted = new Float64Array(rows);
      for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
        const to = Math.min(rows, from + ROWS_AT_ONCE);
        const feeds = Object.fromEntries(
          plans.map((plan) => [plan.input.name, tensorOf(plan, columns, from, to, Tensor)]),
        );
        predicted.set(await answer(session, output, feeds, to - from, reference), from);
      }
      const lost = predicted.findIndex((value) => !Number.isFinite(value));
      if (lost >= 0) {
        throw predictionInvalid(first + lost, `the model answers ${predicted[lost]}; it may not take missing values`);
      }
      return { predicted, unseen: [] };
    },
  };
}

function graphValue(value: InferenceSession.ValueMetadata): GraphValue {
  if (!value.isTensor) return { name: value.name, type: 'no tensor', shape: [] };
  // A length that the graph leaves open has a name, or is the greatest number of 32 bits.
  const shape = value.shape.map((length) => (typeof length === 'number' && length < 2 ** 31 ? length : -1));
  return { name: value.name, type: value.type, shape };
}

function outputOf(session: InferenceSession, reference: string): string {
  const [output, ...more] = session.outputMetadata.map(graphValue);
  if (output !== undefined && more.length === 0 && NUMBERS.includes(output.type)) return output.name;
  const there = session.outputMetadata.map(graphValue).map(({ name, type }) => `${name} (${type})`);
  throw unsuitable(
    reference,
    `its graph gives ${printable(there.join(', '), 300)}, where one output of numbers is needed, a prediction a record`,
  );
}

const NUMBERS = ['float32', 'float64', 'int32', 'int64'];

function rowsOf([first]: readonly FeatureColumn[]): number {
  if (first === undefined) return 0;
  return first.kind === 'numeric' ? first.values.length : first.codes.length;
}

async function answer(
  session: InferenceSession,
  output: string,
  feeds: Record<string, Tensor>,
  rows: number,
  reference: string,
): Promise<Float64Array> {
  let data: Tensor.DataType | undefined;
  try {
    data = (await session.run(feeds))[output]?.data;
  } catch (cause) {
    throw unsuitable(reference, `ONNX Runtime failed over it (${printable(messageOf(cause), 300)})`, cause);
  }
  if (data?.length === rows) return Float64Array.from(data, Number);
  throw unsuitable(
    reference,
    `it gave ${data?.length ?? 'no'} numbers for ${rows} records, where one a record is needed`,
  );
}

/** Rows `from` … `to` of a plan's features, as its input takes them: row by row. */
function tensorOf(
  { input, features }: InputPlan,
  columns: readonly FeatureColumn[],
  from: number,
  to: number,
  make: typeof Tensor,
): Tensor {
  const width = features.length;
  const rows = to - from;
  const dims = input.shape.length === 1 ? [rows] : [rows, width];
  const parts = features.map(({ name }) => columns.find((column) => column.name === name));
  if (input.type === 'string') return new make('string', textsOf(parts, from, to), dims);
  const fill = <T extends { [at: number]: V }, V>(target: T, convert: (value: number) => V): T => {
    for (const [at, part] of parts.entries()) {
      if (part?.kind !== 'numeric') continue;
      for (let row = 0; row < rows; row++) target[row * width + at] = convert(part.values[from + row] ?? Number.NaN);
    }
    return target;
  };
  const size = rows * width;
  const same = (value: number): number => value;
  switch (input.type) {
    case 'float64':
      return new make('float64', fill(new Float64Array(size), same), dims);
    case 'int32':
      return new make('int32', fill(new Int32Array(size), same), dims);
    case 'int64':
      return new make('int64', fill(new BigInt64Array(size), BigInt), dims);
    case 'bool':
      return new make('bool', fill(new Uint8Array(size), same), dims);
    default:
      return new make('float32', fill(new Float32Array(size), same), dims);
  }
}

function textsOf(parts: readonly (FeatureColumn | undefined)[], from: number, to: number): string[] {
  const texts: string[] = [];
  for (let row = from; row < to; row++) {
    for (const part of parts) {
      if (part?.kind === 'categorical') texts.push(part.categories[part.codes[row] ?? -1] ?? '');
    }
  }
  return texts;
}
