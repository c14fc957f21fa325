import { LakeletError, printable } from '../errors.ts';
import { fromOnnx, isOwnOnnx, type TreeEnsemble } from '../forest/index.ts';
import { MODEL_FILE, type ReadModelFile } from '../mlflow/index.ts';
import { ensembleScorer } from './ensemble-scorer.ts';
import { externalFiles } from './external-data.ts';
import type { Scorer } from './model.ts';
import { unsuitable } from './unsuitable.ts';

/**
 * What scores with the model of a folder: Lakelet's own trees in TypeScript, any other ONNX model by ONNX Runtime.
 *
 * @param read reads a file of the folder; undefined where it is not there
 * @param reference what the model is called in errors
 * @returns undefined where the folder holds no model in ONNX
 * @throws LakeletError `MODEL_UNSUITABLE`, `MODEL_RUNTIME_MISSING`, and what `read` throws
 */
export async function openScorer(read: ReadModelFile, reference: string): Promise<Scorer | undefined> {
  const onnx = await read(MODEL_FILE);
  if (onnx === undefined) return undefined;
  if (isOwnOnnx(onnx)) return ensembleScorer(ownEnsemble(onnx, reference));
  const mlmodel = await read('MLmodel');
  if (mlmodel === undefined) {
    throw unsuitable(
      reference,
      'Lakelet did not write it, and there is no file MLmodel beside it that says which columns it takes; log it by mlflow.onnx.log_model with a signature',
    );
  }
  const external = new Map<string, Uint8Array>();
  for (const path of externalFiles(onnx, reference)) {
    const bytes = await read(path);
    if (bytes === undefined) throw unsuitable(reference, `its file ${printable(path, 200)} is missing`);
    external.set(path, bytes);
  }
  // Loaded where it is needed, with all that it needs.
  const { onnxScorer } = await import('./onnx-scorer.ts');
  return onnxScorer({ onnx, mlmodel, external }, reference);
}

function ownEnsemble(onnx: Uint8Array, reference: string): TreeEnsemble {
  try {
    return fromOnnx(onnx);
  } catch (cause) {
    if (!(cause instanceof LakeletError)) throw cause;
    throw unsuitable(reference, `its file is damaged, or of a newer Lakelet (${cause.message})`, cause);
  }
}
