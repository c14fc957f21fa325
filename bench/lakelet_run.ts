/**
 * One run of the pipeline in a process of its own, for the bench: prints seconds a step and the peak of its memory as one
 * JSON object. Arguments: rows, trees, depth; the lake is LAKE_URI.
 */
import { bronze } from '../functions/bronze.ts';
import { gold } from '../functions/gold.ts';
import { handler as recordFailure } from '../functions/record-failure.ts';
import { silver } from '../functions/silver.ts';
import { quietStandardError } from '../lib/logger.ts';
import { onProgress } from '../lib/progress.ts';
import { startEmbedded, type TaskHandler } from '../lib/workflow/index.ts';

const [rows = 0, trees = 0, maxDepth = 0] = process.argv.slice(2).map(Number);
quietStandardError('silent');

const seconds: Record<string, number> = {};
function timed(name: string, handler: TaskHandler): TaskHandler {
  return async (event) => {
    const start = performance.now();
    const answer = await handler(event);
    seconds[name] = (performance.now() - start) / 1000;
    return answer;
  };
}

let lastAggregate = 0;
onProgress(({ step, done }) => {
  if (step === 'gold' && done === true) lastAggregate = performance.now();
});

const start = performance.now();
let goldStart = 0;
const result = await startEmbedded(
  { rows, seed: 42, trees, maxDepth },
  {
    Bronze: timed('bronze', bronze()),
    Silver: timed('silver', silver()),
    Gold: timed('gold', (event) => {
      goldStart = performance.now();
      return gold()(event);
    }),
    RecordFailure: recordFailure,
  },
);
const total = (performance.now() - start) / 1000;
if (result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(result));
const aggregates = (lastAggregate - goldStart) / 1000;
const steps = {
  bronze: seconds.bronze,
  silver: seconds.silver,
  aggregates,
  // What is left of gold: features, forest, scores, ONNX and the training's record.
  train: (seconds.gold ?? 0) - aggregates,
  total,
};
const { gold: told } = result.output as { gold: { model: { r2: number; rows: number } } };
process.stdout.write(
  `${JSON.stringify({ seconds: steps, r2: told.model.r2, trainingRows: told.model.rows, peakMB: process.resourceUsage().maxRSS / 1024 })}\n`,
);
