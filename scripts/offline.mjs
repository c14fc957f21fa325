// `npm run offline`: serves the functions (Lambda's API) and the HTTP API through serverless-offline, until Ctrl-C.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { giveUp, root, SetupError, say, setUp } from './setup.mjs';

const USAGE = 'npm run offline [-- --port 3000] [--lambda-port 3002]';
const HOST = '127.0.0.1';
/** How long serverless-offline may take to start, and to end before it is killed, in seconds. */
const START = 120;
const END = 10;

function options() {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string' }, 'lambda-port': { type: 'string' } } });
    return { port: portOf('--port', values.port), lambdaPort: portOf('--lambda-port', values['lambda-port']) };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`${error.message.split('\n')[0]}; usage: ${USAGE}`);
  }
}

function portOf(name, text) {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new SetupError(`${name} is a number from 1 to 65535; usage: ${USAGE}`);
}

/** The port that was asked for, which must be free; else the usual one, or another where that is taken. */
async function freePort(asked, usual, name) {
  if (asked !== undefined) {
    if (await isFree(asked)) return asked;
    throw new SetupError(`Port ${asked} is taken: give another by ${name}, or leave it out to get a free one.`);
  }
  return (await isFree(usual)) ? usual : anyPort();
}

async function isFree(port) {
  return (await listening(port)) !== undefined;
}

async function anyPort() {
  const port = await listening(0);
  if (port === undefined) throw new SetupError(`No port of ${HOST} is free.`);
  return port;
}

/** Listens for a moment; the port, or undefined where that can't be done. */
function listening(port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/** Starts serverless-offline; its output goes to a log, and to the terminal once it serves. */
function start(node, { port, lambdaPort }, log) {
  const lambda = `http://${HOST}:${lambdaPort}`;
  const serverless = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const child = spawn(
    node,
    [
      // A function that fails after its caller has gone (an asynchronous invocation) must not end the server.
      '--unhandled-rejections=warn',
      serverless,
      'offline',
      ...['--stage', 'offline', '--host', HOST, '--noSponsor', '--localEnvironment'],
      ...['--httpPort', String(port), '--lambdaPort', String(lambdaPort)],
    ],
    {
      cwd: root,
      // A group of its own: a terminal's Ctrl-C comes to this process alone, which then ends the group in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PATH: [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
        EXECUTE_FUNCTION_URL: `${lambda}/2015-03-31/functions/lakelet-offline-execute/invocations`,
        STATE_MACHINE_ARN: '',
        SLS_TELEMETRY_DISABLED: '1',
      },
    },
  );
  const file = createWriteStream(log);
  child.stdout.pipe(file);
  child.stderr.pipe(file);
  return child;
}

/** Waits until both addresses answer. */
async function serving(child, addresses, log) {
  const until = Date.now() + START * 1000;
  while (Date.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new SetupError(`serverless-offline ended before it served; its output is in ${log}.`);
    }
    if ((await Promise.all(addresses.map(answers))).every(Boolean)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new SetupError(`serverless-offline does not serve after ${START} s; its output is in ${log}.`);
}

async function answers(url) {
  try {
    await fetch(url, { signal: AbortSignal.timeout(30_000) });
    return true;
  } catch {
    return false;
  }
}

/** Ends the group: in order, and where that takes too long by force. */
function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  signal(child, 'SIGINT');
  setTimeout(() => signal(child, 'SIGKILL'), END * 1000).unref();
}

function signal(child, name) {
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

try {
  const asked = options();
  const { node } = setUp();
  const port = await freePort(asked.port, 3000, '--port');
  const lambdaPort = await freePort(asked.lambdaPort, 3002, '--lambda-port');
  mkdirSync(join(root, 'logs'), { recursive: true });
  const log = join(root, 'logs', 'offline.log');
  const child = start(node, { port, lambdaPort }, log);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  let stopped = false;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(name, () => {
      stopped = true;
      stop(child);
    });
  }
  process.on('exit', () => signal(child, 'SIGKILL'));
  const addresses = [`http://${HOST}:${port}`, `http://${HOST}:${lambdaPort}`];
  try {
    await Promise.race([serving(child, [`${addresses[0]}/health`, addresses[1]], log), ended]);
  } catch (error) {
    if (!stopped) throw error;
  }
  if (!stopped && child.exitCode === null) {
    say(`HTTP API    ${addresses[0]} (docs/http.md)`);
    say(
      `Lambda API  export AWS_ENDPOINT_URL_LAMBDA=${addresses[1]} (functions lakelet-offline-bronze, -silver, -gold, -record-failure)`,
    );
    say(`log         ${relative(root, log)}`);
    say('ready');
  }
  await ended;
  if (!stopped) throw new SetupError(`serverless-offline ended by itself; its output is in ${relative(root, log)}.`);
} catch (error) {
  giveUp(error);
}
