import { type LakeletError, printable } from '../errors.ts';
import type { ServedFeature } from './model.ts';
import type { ModelSignature, SignatureTensor } from './signature.ts';
import { unsuitable } from './unsuitable.ts';

/** An input or an output of an ONNX graph. */
export interface GraphValue {
  readonly name: string;
  /** The type of its elements, by the runtime's names: float32, int64, string, … */
  readonly type: string;
  /** -1 stands for any length. */
  readonly shape: readonly number[];
}

/** How one input of a graph is made from a record. */
export interface InputPlan {
  readonly input: GraphValue;
  /** What fills its columns, in order; of a vector, its only one. */
  readonly features: readonly ServedFeature[];
}

type FeatureType = ServedFeature['type'];

/** The types of columns that an element may hold, and what of them a value then has to be. */
const TAKES: Readonly<Record<string, Partial<Record<string, FeatureType>>>> = {
  float32: { float: 'float', double: 'float', integer: 'integer', long: 'long', boolean: 'boolean' },
  float64: { float: 'double', double: 'double', integer: 'integer', long: 'long', boolean: 'boolean' },
  int32: { integer: 'integer' },
  int64: { integer: 'integer', long: 'long' },
  bool: { boolean: 'boolean' },
  string: { string: 'string' },
};

/** MLflow's names of the types by NumPy's. */
const BY_DTYPE: Readonly<Record<string, FeatureType>> = {
  float32: 'float',
  float64: 'double',
  int32: 'integer',
  int64: 'long',
  bool: 'boolean',
  object: 'string',
  str: 'string',
  string: 'string',
};

/**
 * Which of a model's columns goes where in its graph. Nothing is guessed: what the signature and the graph do not say of
 * each other is refused, so that no column can stand in another's place.
 *
 * As MLflow does, the columns of a signature make up the graph's only input in the signature's order, or each is an input
 * by its name. The columns of a tensor have no names, and are called by the tensor's and their place, `input[0]`, unless
 * the model's metadata names them.
 *
 * @throws LakeletError `MODEL_UNSUITABLE`
 */
export function planInputs(
  signature: ModelSignature,
  inputs: readonly GraphValue[],
  reference: string,
): readonly InputPlan[] {
  const plans =
    signature.kind === 'columns'
      ? planColumns(signature.columns, inputs, reference)
      : planTensors(signature.tensors, signature.names, inputs, reference);
  const names = plans.flatMap(({ features }) => features.map(({ name }) => name));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw unsuitable(reference, `it takes two columns called ${printable(twice, 100)}`);
  return plans;
}

function planColumns(
  columns: readonly { readonly name: string; readonly type: string }[],
  inputs: readonly GraphValue[],
  reference: string,
): InputPlan[] {
  const [only, ...others] = inputs;
  if (only === undefined) throw unsuitable(reference, 'its graph has no input');
  if (others.length === 0) {
    checkShape(only, columns.length, reference);
    return [{ input: only, features: columns.map(({ name, type }) => featureOf(name, type, only, reference)) }];
  }
  refuseOtherNames(
    columns.map(({ name }) => name),
    inputs,
    reference,
  );
  return inputs.flatMap((input) => {
    checkShape(input, 1, reference);
    return columns
      .filter(({ name }) => name === input.name)
      .map(({ name, type }) => ({ input, features: [featureOf(name, type, input, reference)] }));
  });
}

function planTensors(
  tensors: readonly SignatureTensor[],
  names: readonly string[] | undefined,
  inputs: readonly GraphValue[],
  reference: string,
): InputPlan[] {
  const [tensor, ...others] = tensors;
  const [input] = inputs;
  if (tensor !== undefined && input !== undefined && others.length === 0 && inputs.length === 1) {
    if (tensor.name !== undefined && tensor.name !== input.name) refuseOtherNames([tensor.name], inputs, reference);
    return [planTensor(tensor, input, names, reference)];
  }
  refuseOtherNames(
    tensors.map(({ name = '' }) => name),
    inputs,
    reference,
  );
  return inputs.flatMap((each) =>
    tensors.filter(({ name }) => name === each.name).map((found) => planTensor(found, each, undefined, reference)),
  );
}

function planTensor(
  { dtype, shape }: SignatureTensor,
  input: GraphValue,
  names: readonly string[] | undefined,
  reference: string,
): InputPlan {
  const [, width = 1, ...more] = shape;
  if (shape.length === 0 || more.length > 0 || width < 1) {
    throw unsuitable(
      reference,
      `its signature has a tensor of the shape [${shape.join(', ')}]; a row of numbers or strings a record is [-1, columns]`,
    );
  }
  checkShape(input, width, reference);
  if (names !== undefined && names.length !== width) {
    throw unsuitable(reference, `its metadata names ${names.length} columns of a tensor that has ${width}`);
  }
  const type = BY_DTYPE[dtype] ?? dtype;
  const isFloat = (name: string): boolean => /^float(32|64)$/.test(name);
  // MLflow casts a signature's columns, and of tensors 64-bit floats alone.
  if (BY_DTYPE[input.type] !== type && !(isFloat(dtype) && isFloat(input.type))) {
    throw otherType(input.name, type, input, reference);
  }
  const places = Array.from({ length: width }, (_, at) => (width === 1 ? input.name : `${input.name}[${at}]`));
  return { input, features: (names ?? places).map((name) => featureOf(name, type, input, reference)) };
}

function featureOf(name: string, type: string, input: GraphValue, reference: string): ServedFeature {
  const taken = TAKES[input.type]?.[type];
  if (taken === undefined) throw otherType(name, type, input, reference);
  return { name, type: taken, nullable: taken === 'float' || taken === 'double' };
}

function otherType(name: string, type: string, input: GraphValue, reference: string): LakeletError {
  return unsuitable(
    reference,
    `its signature says that ${printable(name, 100)} is ${printable(type, 50)}, and its graph takes ${input.type} there`,
  );
}

function checkShape({ name, shape }: GraphValue, width: number, reference: string): void {
  const [rows = 0, columns = 1, ...more] = shape;
  const fits = more.length === 0 && rows === -1 && (columns === width || (columns === -1 && shape.length === 2));
  if (fits) return;
  throw unsuitable(
    reference,
    `its graph's input ${printable(name, 100)} has the shape [${shape.join(', ')}] where its signature makes [-1, ${width}]`,
  );
}

function refuseOtherNames(names: readonly string[], inputs: readonly GraphValue[], reference: string): void {
  const taken = inputs.map(({ name }) => name);
  if (names.length === taken.length && taken.every((name) => names.includes(name))) return;
  throw unsuitable(
    reference,
    `its signature names ${printable(names.join(', '), 300)}, and its graph takes ${printable(taken.join(', '), 300)}`,
  );
}
