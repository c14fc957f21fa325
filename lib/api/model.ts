import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { LakeletError, printable } from '../errors.ts';
import { fromOnnx, type TreeEnsemble } from '../forest/index.ts';
import { fetchModel, localModel } from '../mlflow/index.ts';
import { recordsOf } from '../pipeline/context.ts';

/** A model of the registry. */
export interface RegisteredModel {
  readonly name: string;
  readonly version: string;
  readonly forest: TreeEnsemble;
}

/** The forest that was used last; reading one again takes longer than to fetch it. */
let last: { readonly digest: string; readonly forest: TreeEnsemble } | undefined;

/**
 * The model that a reference stands for now, from the MLflow server that is set, else from the local records.
 *
 * @param reference `NAME@ALIAS` or `NAME@VERSION`
 * @throws LakeletError `MODEL_NOT_FOUND`, `MODEL_UNSUITABLE`, and what the registry throws
 */
export async function loadModel(config: Config, reference: string): Promise<RegisteredModel> {
  const at = reference.lastIndexOf('@');
  const [name, versionOrAlias] = [reference.slice(0, at), reference.slice(at + 1)];
  const { trackingUri, ...login } = config.mlflow;
  const found =
    trackingUri === undefined
      ? await localModel(recordsOf(config), name, versionOrAlias)
      : await fetchModel({ trackingUri, ...login }, name, versionOrAlias);
  if (found === undefined) {
    throw new LakeletError(
      'MODEL_NOT_FOUND',
      `The registry has no model ${printable(reference, 300)} in ONNX; a run trains one and registers it`,
    );
  }
  return { name, version: found.version, forest: forestOf(found.onnx, reference) };
}

function forestOf(onnx: Uint8Array, reference: string): TreeEnsemble {
  const digest = createHash('sha256').update(onnx).digest('hex');
  if (last?.digest === digest) return last.forest;
  try {
    last = { digest, forest: fromOnnx(onnx) };
    return last.forest;
  } catch (cause) {
    if (!(cause instanceof LakeletError)) throw cause;
    throw new LakeletError(
      'MODEL_UNSUITABLE',
      `The model ${printable(reference, 300)} is no forest of Lakelet's, so it can't be scored here`,
      { cause },
    );
  }
}
