/** Run by itself: starts LocalStack and a Lambda, prints the ids of their processes as JSON, and waits to be killed. */
import { startLambdas } from './lambdas.ts';

const lambdas = await startLambdas();
await lambdas.create('alone', { 'index.mjs': 'export const handler = async () => process.pid' });
const { payload } = await lambdas.invoke('alone');
console.log(JSON.stringify([lambdas.server.pid, payload]));
setInterval(() => undefined, 60_000);
