import { availableParallelism } from 'node:os';

/** MB of memory at which a Lambda has one whole core ("Configure Lambda function memory" in AWS's guide). */
const MEMORY_PER_CORE = 1769;

/**
 * How many threads and how much memory DuckDB may use inside a Lambda: the cores that the function's memory buys, and half
 * of that memory, since the event's data, the model and Node need the rest. Nothing outside of a Lambda, where DuckDB's own
 * limits hold.
 */
export function lambdaLimits(env: NodeJS.ProcessEnv): { readonly threads?: number; readonly memoryLimit?: string } {
  const memory = Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
  if (!Number.isSafeInteger(memory) || memory <= 0) return {};
  return {
    threads: Math.min(Math.ceil(memory / MEMORY_PER_CORE), availableParallelism()),
    memoryLimit: `${Math.floor(memory / 2)}MB`,
  };
}
