import { z } from 'zod';
import { messageOf, printable } from '../errors.ts';
import { unsuitable } from './unsuitable.ts';

/** A column that a model was logged to take. */
export interface SignatureColumn {
  readonly name: string;
  /** By MLflow's names of types: double, long, string, … */
  readonly type: string;
}

/** A tensor that a model was logged to take. */
export interface SignatureTensor {
  readonly name?: string;
  /** By NumPy's names of types: float32, int64, … */
  readonly dtype: string;
  /** -1 stands for any length. */
  readonly shape: readonly number[];
}

/** What a model takes, as it was logged (https://mlflow.org/docs/latest/ml/model/signatures/). */
export type ModelSignature =
  | { readonly kind: 'columns'; readonly columns: readonly SignatureColumn[] }
  | {
      readonly kind: 'tensors';
      readonly tensors: readonly SignatureTensor[];
      /** What the columns of its only tensor are called, where whoever logged it said so (`metadata.lakelet.features`). */
      readonly names?: readonly string[];
    };

const SAID = z.looseObject({
  flavors: z.looseObject({ onnx: z.looseObject({ data: z.string() }).optional() }),
  signature: z.looseObject({ inputs: z.string().nullish() }).nullish(),
  metadata: z.unknown().optional(),
});

const TENSOR = z.looseObject({
  name: z.string().nullish(),
  type: z.literal('tensor'),
  'tensor-spec': z.looseObject({ dtype: z.string(), shape: z.array(z.int()) }),
});
const COLUMN = z.looseObject({ name: z.string(), type: z.string() });
const INPUTS = z.union([z.array(TENSOR).min(1), z.array(COLUMN).min(1)]);

/** The names may stand alone, or as Lakelet itself writes them. */
const NAMES = z.looseObject({
  lakelet: z.looseObject({
    features: z.array(z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)])),
  }),
});

/** An MLmodel file is a page of text. */
const MOST_BYTES = 4_000_000;

/**
 * What the file `MLmodel` of a model's folder says that the model takes.
 *
 * @param reference what the model is called in errors
 * @throws LakeletError `MODEL_UNSUITABLE`
 */
export async function readSignature(mlmodel: Uint8Array, reference: string): Promise<ModelSignature> {
  const said = SAID.safeParse(await fromYaml(mlmodel, reference));
  if (!said.success) throw unsuitable(reference, 'its file MLmodel is not as MLflow writes it');
  const { flavors, signature, metadata } = said.data;
  if (flavors.onnx === undefined) {
    throw unsuitable(
      reference,
      `it has the flavors ${printable(Object.keys(flavors).join(', '), 200)} and not onnx; log it by mlflow.onnx.log_model`,
    );
  }
  const inputs = INPUTS.safeParse(fromJson(signature?.inputs));
  if (!inputs.success) {
    throw unsuitable(
      reference,
      'it has no signature that tells columns or tensors by name and type; give mlflow.onnx.log_model a signature',
    );
  }
  const [first] = inputs.data;
  if (first?.type !== 'tensor') {
    return {
      kind: 'columns',
      columns: z
        .array(COLUMN)
        .parse(inputs.data)
        .map(({ name, type }) => ({ name, type })),
    };
  }
  const tensors = z.array(TENSOR).safeParse(inputs.data);
  if (!tensors.success) throw unsuitable(reference, 'its signature has both tensors and columns');
  const names = NAMES.safeParse(metadata);
  return {
    kind: 'tensors',
    tensors: tensors.data.map(({ name, 'tensor-spec': { dtype, shape } }) => ({
      dtype,
      shape,
      ...(typeof name === 'string' && { name }),
    })),
    ...(names.success && { names: names.data.lakelet.features }),
  };
}

async function fromYaml(mlmodel: Uint8Array, reference: string): Promise<unknown> {
  if (mlmodel.byteLength > MOST_BYTES) throw unsuitable(reference, 'its file MLmodel is too large');
  // Loaded where it is needed: models of Lakelet's own tell what they take themselves.
  const { parse } = await import('yaml');
  try {
    return parse(new TextDecoder().decode(mlmodel));
  } catch (cause) {
    const [first = ''] = messageOf(cause).split('\n');
    throw unsuitable(reference, `its file MLmodel is no YAML (${printable(first, 200)})`, cause);
  }
}

function fromJson(text: string | null | undefined): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no signature either, which the check that follows says.
    return undefined;
  }
}
