// Installs LocalStack and builds MinIO, side by side, where they are missing; `npm test` does so before it begins. What
// could not be had goes to standard output, one line each; then the exit code is 1.
import { LakeletError, messageOf } from '../lib/errors.ts';
import { installLocalStack } from './localstack.ts';
import { installMinio } from './minio.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);
const told = new AbortController();
process.once('SIGTERM', () => told.abort());
const options = { say, signal: told.signal };
for (const outcome of await Promise.allSettled([installLocalStack(options), installMinio(options)])) {
  if (outcome.status === 'fulfilled') continue;
  if (!(outcome.reason instanceof LakeletError)) throw outcome.reason;
  process.stdout.write(`${messageOf(outcome.reason)}\n`);
  process.exitCode = 1;
}
