import { LakeletError } from '../errors.ts';
import { readFields } from '../forest/protobuf-read.ts';
import { unsuitable } from './unsuitable.ts';

/** The numbers of the fields that lead to a file beside the model, as onnx.proto names them. */
const GRAPH = 7;
const INITIALIZER = 5;
const EXTERNAL_DATA = 13;
const ENTRY = { key: 1, value: 2 } as const;

/**
 * The files beside a model that hold its large tensors (`mlflow.onnx.log_model` writes tensors of 1 KB and more so), by
 * their paths from the model's folder.
 *
 * @throws LakeletError `MODEL_UNSUITABLE` where the bytes are no ONNX file, or name a file that is not beside it
 */
export function externalFiles(onnx: Uint8Array, reference: string): string[] {
  try {
    const tensors = [...blocks(onnx, GRAPH)].flatMap((graph) => [...blocks(graph, INITIALIZER)]);
    const entries = tensors.flatMap((tensor) => [...blocks(tensor, EXTERNAL_DATA)]);
    const paths = entries
      .filter((entry) => textOf(entry, ENTRY.key) === 'location')
      .map((entry) => textOf(entry, ENTRY.value));
    const outside = paths.find((path) => !/^[^/\\]+$/.test(path) || path.startsWith('..'));
    if (outside === undefined) return [...new Set(paths)];
  } catch (cause) {
    if (!(cause instanceof LakeletError)) throw cause;
    throw unsuitable(reference, 'its file is no ONNX model', cause);
  }
  throw unsuitable(reference, 'it keeps tensors in a file that is not in its folder');
}

function* blocks(message: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of readFields(message)) if (field.number === number && field.kind === 'block') yield field.value;
}

function textOf(message: Uint8Array, number: number): string {
  const [text = new Uint8Array()] = blocks(message, number);
  return new TextDecoder().decode(text);
}
