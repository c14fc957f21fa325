// Trains at its top level, as a script does: printed once, whoever loads it, and ended by itself when all workers are gone.
import { createHash } from 'node:crypto';
import { toOnnx, trainForest } from '../../../../lib/forest/index.ts';

process.stdout.write('entry runs\n');
const x = Float64Array.from({ length: 500 }, (_, row) => (row * 37) % 101);
const data = { columns: [{ name: 'x', kind: 'numeric' as const, values: x }], target: x.map((value) => value * value) };
const forest = await trainForest(data, { nEstimators: 6, nJobs: 2 });
process.stdout.write(`${createHash('sha256').update(toOnnx(forest)).digest('hex')}\n`);

const refused = async (options: Parameters<typeof trainForest>[1]): Promise<string> => {
  try {
    await trainForest(data, options);
    return 'trained';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'another error';
  }
};
process.stdout.write(`${await refused({ nJobs: 2, signal: AbortSignal.abort() })}\n`);
process.stdout.write(`${await refused({ nJobs: 2, nEstimators: 100_000, signal: AbortSignal.timeout(200) })}\n`);
const onProgress = (): void => {
  throw new Error('no');
};
process.stdout.write(`${await refused({ nJobs: 2, nEstimators: 100, onProgress })}\n`);
