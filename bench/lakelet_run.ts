/**
 * One run of the pipeline in a process of its own, for the bench: prints seconds a step and the peak of its memory as one
 * JSON object. Arguments: rows, trees, depth, the folder for the logs and the training's record, the lake's URI (a
 * folder `lake` in that folder where it is left out), and MLflow's address (none: the training is recorded).
 */
import { join } from 'node:path';
import { purchases } from '../datasets/purchases/index.ts';
import { type Config, loadConfig } from '../lib/config.ts';
import { openLogger } from '../lib/logger.ts';
import { runBronze } from '../lib/pipeline/bronze.ts';
import { type Context, withContext } from '../lib/pipeline/context.ts';
import { bronzeEvent, failureEvent, goldEvent, silverEvent } from '../lib/pipeline/events.ts';
import { recordFailure } from '../lib/pipeline/failure.ts';
import { runGold } from '../lib/pipeline/gold.ts';
import { runSilver } from '../lib/pipeline/silver.ts';
import { onProgress } from '../lib/progress.ts';
import { startEmbedded, type TaskHandler } from '../lib/workflow/index.ts';

const [rows, trees, maxDepth] = process.argv.slice(2, 5).map(Number);
const [root = '.', lakeUri = join(root, 'lake'), trackingUri] = process.argv.slice(5);
const config: Config = {
  ...loadConfig(),
  root,
  lakeUri,
  mlflow: { experimentName: 'bench', ...(trackingUri && { trackingUri }) },
  logsDir: join(root, 'logs'),
};
const log = openLogger({ ...config, logLevel: 'silent' });

const seconds: Record<string, number> = {};
function step(name: string, run: (context: Context, event: unknown) => Promise<unknown>): TaskHandler {
  return async (event) => {
    const start = performance.now();
    const answer = await withContext({ log, config }, (context) => run(context, event));
    seconds[name] = (performance.now() - start) / 1000;
    return answer;
  };
}

const start = performance.now();
onProgress(({ step: name, done }) => {
  if (name === 'gold' && done === true) seconds.aggregated = (performance.now() - start) / 1000;
});
const result = await startEmbedded(
  { rows, seed: 42, trees, maxDepth },
  {
    Bronze: step('bronze', (context, event) => runBronze(context, purchases, bronzeEvent.parse(event))),
    Silver: step('silver', (context, event) => runSilver(context, purchases, silverEvent.parse(event))),
    Gold: step('gold', (context, event) => {
      seconds.goldStart = (performance.now() - start) / 1000;
      return runGold(context, purchases, goldEvent.parse(event));
    }),
    RecordFailure: step('failure', (context, event) => recordFailure(context, failureEvent.parse(event))),
  },
);
const total = (performance.now() - start) / 1000;
if (result.status !== 'SUCCEEDED') throw new Error(JSON.stringify(result));
const aggregates = (seconds.aggregated ?? 0) - (seconds.goldStart ?? 0);
const steps = {
  bronze: seconds.bronze,
  silver: seconds.silver,
  aggregates,
  // What is left of gold: features, forest, scores, ONNX, and the training's record or its logging to MLflow.
  train: (seconds.gold ?? 0) - aggregates,
  total,
};
const { gold: told } = result.output as { gold: { model: { r2: number; rows: number } } };
process.stdout.write(
  `${JSON.stringify({ seconds: steps, r2: told.model.r2, trainingRows: told.model.rows, peakMB: process.resourceUsage().maxRSS / 1024 })}\n`,
);
