import type { InferenceSession, Tensor, TensorConstructor } from 'onnxruntime-web';
import { LakeletError, messageOf, printable } from '../errors.ts';

/** What of the runtime is used. */
interface Runtime {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
  readonly env: { logLevel?: string; readonly wasm: { numThreads?: number } };
}

export type { InferenceSession, Tensor };

let loading: Promise<Runtime> | undefined;

/**
 * The runtime for ONNX models of other makers, ONNX Runtime in WebAssembly on one thread. It is an optional peer, which
 * who serves only models of Lakelet's does without; some 0.3 s when it is first needed.
 *
 * @throws LakeletError `MODEL_RUNTIME_MISSING` where the package is not installed
 */
export async function onnxRuntime(): Promise<Runtime> {
  loading ??= load();
  try {
    return await loading;
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

async function load(): Promise<Runtime> {
  try {
    const runtime: Runtime = await import('onnxruntime-web/wasm');
    runtime.env.wasm.numThreads = 1;
    runtime.env.logLevel = 'error';
    return runtime;
  } catch (cause) {
    throw runtimeMissing(cause);
  }
}

/** The error of a runtime that is not there, or not whole. */
export function runtimeMissing(cause: unknown): LakeletError {
  return new LakeletError(
    'MODEL_RUNTIME_MISSING',
    `A model that Lakelet did not train needs the package onnxruntime-web, which can't be loaded (${printable(messageOf(cause), 200)}): npm install onnxruntime-web`,
    { cause },
  );
}
