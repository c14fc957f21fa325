import type { TrainedModel } from './training.ts';
import { toYaml } from './yaml.ts';

/** The MLflow whose format is written, and whose server is started. */
export const MLFLOW_VERSION = '3.17.2';
/** The name of the model's bytes in its folder. */
export const MODEL_FILE = 'model.onnx';

const PYTHON_VERSION = '3.11.7';
const REQUIREMENTS = [`mlflow==${MLFLOW_VERSION}`, 'numpy==2.4.6', 'onnx==1.23.2', 'onnxruntime==1.32.0'];

/** Where a model folder belongs. */
export interface ModelOrigin {
  /** MLflow's run that made it. */
  readonly runId: string;
  /** MLflow's logged model. */
  readonly modelId: string;
  /** The folder's address on the server. */
  readonly artifactUri: string;
  /** Milliseconds since 1970 (UTC). */
  readonly createdAt: number;
}

/** One file of a model folder. */
export interface ModelFile {
  readonly path: string;
  readonly body: Uint8Array;
}

/**
 * The files of an MLflow model folder, as `mlflow.onnx.save_model` lays them out
 * (https://mlflow.org/docs/latest/ml/model/), so that `mlflow.pyfunc.load_model` reads it.
 *
 * The signature names every feature as a `double` column: a DataFrame may have its columns in any order and others
 * beside them, and MLflow hands the ONNX model one matrix in the features' order, cast to float32. (MLflow refuses
 * int64 columns for a double; `astype(float)` helps.) A categorical feature's column holds its code; the codes are
 * listed in the model's metadata under `lakelet`.
 */
export function modelFolder(model: TrainedModel, origin: ModelOrigin): ModelFile[] {
  const example = exampleFiles(model);
  const size = model.onnx.byteLength;
  return [
    { path: MODEL_FILE, body: model.onnx },
    text('requirements.txt', `${REQUIREMENTS.join('\n')}\n`),
    text(
      'python_env.yaml',
      toYaml({
        python: PYTHON_VERSION,
        build_dependencies: ['pip', 'setuptools', 'wheel'],
        dependencies: ['-r requirements.txt'],
      }),
    ),
    text(
      'conda.yaml',
      toYaml({
        name: 'mlflow-env',
        channels: ['conda-forge'],
        dependencies: [`python=${PYTHON_VERSION}`, 'pip', { pip: REQUIREMENTS }],
      }),
    ),
    ...example,
    // The file that makes the folder a model comes last.
    text('MLmodel', mlmodel(model, origin, size)),
  ];
}

/** The model's signature, its two halves each as the JSON text that MLflow keeps. */
export function modelSignature(model: TrainedModel): { readonly inputs: string; readonly outputs: string } {
  return {
    inputs: JSON.stringify(model.features.map(({ name }) => ({ type: 'double', name, required: true }))),
    outputs: JSON.stringify([{ type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 1] } }]),
  };
}

function mlmodel(model: TrainedModel, origin: ModelOrigin, size: number): string {
  return toYaml({
    artifact_path: origin.artifactUri,
    flavors: {
      onnx: {
        code: null,
        data: MODEL_FILE,
        onnx_session_options: null,
        onnx_version: '1.23.2',
        providers: ['CPUExecutionProvider'],
      },
      python_function: {
        data: MODEL_FILE,
        env: { conda: 'conda.yaml', virtualenv: 'python_env.yaml' },
        loader_module: 'mlflow.onnx',
        python_version: PYTHON_VERSION,
      },
    },
    metadata: {
      lakelet: {
        features: model.features.map(({ name, kind, categories }) => ({
          name,
          kind,
          ...(categories !== undefined && { categories }),
        })),
      },
    },
    mlflow_version: MLFLOW_VERSION,
    model_id: origin.modelId,
    model_size_bytes: size,
    model_uuid: origin.modelId,
    run_id: origin.runId,
    saved_input_example_info: {
      artifact_path: 'input_example.json',
      pandas_orient: 'split',
      serving_input_path: 'serving_input_example.json',
      type: 'dataframe',
    },
    signature: { ...modelSignature(model), params: null },
    utc_time_created: new Date(origin.createdAt).toISOString().replace('T', ' ').replace('Z', '000'),
  });
}

function exampleFiles(model: TrainedModel): ModelFile[] {
  const columns = model.features.map(({ name }) => name);
  // JSON has no NaN; pandas reads null in a column of numbers as one.
  const data = model.inputExample.map((row) => row.map((value) => (Number.isFinite(value) ? value : null)));
  return [
    text('input_example.json', JSON.stringify({ columns, data })),
    text('serving_input_example.json', JSON.stringify({ dataframe_split: { columns, data } }, undefined, 2)),
  ];
}

function text(path: string, content: string): ModelFile {
  return { path, body: new TextEncoder().encode(content) };
}
