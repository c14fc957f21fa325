// What `npm run deploy:local` and `npm run remove:local` run. LocalStack, the lake and MLflow are taken from the environment,
// where the lines that `npm run emulators` prints have put them.
import { parseArgs } from 'node:util';
import { LakeletError, messageOf } from '../lib/errors.ts';
import { deploy, remove } from './deploy.ts';

const OURS =
  /^(AWS_ENDPOINT_URL(_S3)?|AWS_REGION|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|LAKE_URI|LOG_LEVEL|MLFLOW_.+)$/;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  let removing: boolean | undefined;
  try {
    removing = parseArgs({ args: argv, options: { remove: { type: 'boolean' } } }).values.remove;
  } catch (error) {
    say(`error: ${messageOf(error)} (usage: npm run deploy:local, npm run remove:local)`);
    return 2;
  }
  const settings = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (OURS.test(name) && value ? [[name, value]] : [])),
  );
  if (settings.AWS_ENDPOINT_URL === undefined) {
    say('AWS_ENDPOINT_URL is not set, so this is for the LocalStack at http://127.0.0.1:4566.');
  }
  try {
    const options = { settings, say, signal: stop.signal };
    if (removing === true) await remove(options);
    else report(await deploy(options));
    return 0;
  } catch (error) {
    if (!(error instanceof LakeletError)) throw error;
    say(`error ${error.code}: ${error.message}`);
    return 1;
  }
}

function report({ functions, stateMachineArn }: Awaited<ReturnType<typeof deploy>>): void {
  say(`Functions: ${Object.values(functions).join(', ')}`);
  say(`State machine: ${stateMachineArn}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
