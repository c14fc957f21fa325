import { MessageWriter } from '../../../lib/forest/protobuf-write.ts';

/** An input of a test's model. */
export interface GraphInput {
  readonly name: string;
  readonly type: 'float' | 'double' | 'int64' | 'int32' | 'bool' | 'string';
  /** Its columns; absent for a vector. */
  readonly width?: number;
}

/** ONNX's numbers of element types. */
const ELEMENT = { float: 1, int32: 6, int64: 7, string: 8, bool: 9, double: 11 } as const;

/** What a string counts as: 10 for A, 20 for B, -1 for all others. */
const LETTERS = { texts: ['A', 'B'], numbers: Float32Array.of(10, 20), other: -1 };

/**
 * An ONNX model that adds up its columns, each times a weight, by hand of the format's fields
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 *
 * @param external the file that is to hold the weights, by {@link weightBytes}
 */
export function linearModel(
  inputs: readonly GraphInput[],
  weights: readonly number[],
  { external, outputs = ['y'] }: { readonly external?: string; readonly outputs?: readonly string[] } = {},
): Uint8Array {
  const graph = new MessageWriter();
  const columns = inputs.map((input) => {
    let last = input.name;
    const step = (type: string, more: readonly string[], attributes: readonly MessageWriter[], domain = ''): void => {
      const next = `${last}'`;
      graph.message(1, node(type, [last, ...more], next, attributes, domain));
      last = next;
    };
    if (input.type === 'string') step('LabelEncoder', [], labels(), 'ai.onnx.ml');
    else if (input.type !== 'float') step('Cast', [], [attribute('to', 2).integer(3, ELEMENT.float)]);
    if (input.width === undefined) step('Reshape', ['column'], []);
    return last;
  });
  graph.message(1, node('Concat', columns, 'all', [attribute('axis', 2).integer(3, 1)]));
  for (const output of outputs) graph.message(1, node('MatMul', ['all', 'weights'], output, []));
  graph.text(2, 'linear');
  const held = new MessageWriter()
    .integer(1, weights.length)
    .integer(1, 1)
    .integer(2, ELEMENT.float)
    .text(8, 'weights');
  if (external === undefined) held.block(9, weightBytes(weights));
  else {
    for (const [key, value] of [['location', external]] as const) {
      held.message(13, new MessageWriter().text(1, key).text(2, value));
    }
    held.integer(14, 1);
  }
  graph.message(5, held);
  const column = new Uint8Array(BigInt64Array.of(-1n, 1n).buffer);
  if (inputs.some(({ width }) => width === undefined))
    graph.message(5, new MessageWriter().integer(1, 2).integer(2, ELEMENT.int64).text(8, 'column').block(9, column));
  for (const { name, type, width } of inputs) graph.message(11, value(name, ELEMENT[type], width));
  for (const output of outputs) graph.message(12, value(output, ELEMENT.float, 1));
  return new MessageWriter()
    .integer(1, 8)
    .text(2, 'a test')
    .message(7, graph)
    .message(8, new MessageWriter().text(1, '').integer(2, 17))
    .message(8, new MessageWriter().text(1, 'ai.onnx.ml').integer(2, 3))
    .finish()
    .slice();
}

/** The weights as a file beside the model holds them. */
export function weightBytes(weights: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(weights).buffer);
}

/** A file MLmodel (JSON is YAML) with a signature. */
export function mlmodel(inputs: unknown, more: object = {}): Uint8Array {
  const signature = { inputs: JSON.stringify(inputs), outputs: null, params: null };
  return new TextEncoder().encode(
    JSON.stringify({ flavors: { onnx: { data: 'model.onnx' }, python_function: {} }, signature, ...more }),
  );
}

function node(
  type: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly MessageWriter[],
  domain = '',
): MessageWriter {
  const made = new MessageWriter();
  for (const input of inputs) made.text(1, input);
  made.text(2, output).text(4, type);
  for (const each of attributes) made.message(5, each);
  return made.text(7, domain);
}

function attribute(name: string, type: number): MessageWriter {
  return new MessageWriter().text(1, name).integer(20, type);
}

function labels(): MessageWriter[] {
  const texts = attribute('keys_strings', 8);
  for (const text of LETTERS.texts) texts.text(9, text);
  const numbers = new MessageWriter();
  numbers.packedFloats(LETTERS.numbers);
  return [texts, attribute('values_floats', 6).message(7, numbers), otherwise()];
}

/** `default_float`, whose 32-bit field the writer does not know: its key, 2 × 8 + 5, and four bytes follow as bytes. */
function otherwise(): MessageWriter {
  const head = attribute('default_float', 1).finish();
  const bytes = new Uint8Array([...head, 21, ...new Uint8Array(Float32Array.of(LETTERS.other).buffer)]);
  return { finish: () => bytes } as unknown as MessageWriter;
}

function value(name: string, element: number, width: number | undefined): MessageWriter {
  const shape = new MessageWriter().message(1, new MessageWriter().text(2, 'n'));
  if (width !== undefined) shape.message(1, new MessageWriter().integer(1, width));
  const tensor = new MessageWriter().integer(1, element).message(2, shape);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensor));
}
