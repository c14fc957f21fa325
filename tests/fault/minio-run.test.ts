// Whole runs on MinIO, which go on in one process: MinIO stops, the network breaks, the process is killed, and another one
// does the same at the same time. FAULT_SEED and FAULT_ROUNDS make other and longer runs.

import { once } from 'node:events';
import { START_TIMEOUT } from '../emulator/s3-servers.ts';
import { mixed, seeded } from './s3-proxy.ts';
import { LIMIT, outputOf, Servers, writes } from './servers.ts';
import { Undisturbed } from './undisturbed.ts';

const SEED = Number(process.env.FAULT_SEED ?? 5);
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 3);

let servers: Servers;
let undisturbed: Undisturbed;
/** How many requests a run makes. */
let requests: number;

beforeAll(async () => {
  servers = await Servers.start();
  undisturbed = await Undisturbed.make();
  const run = newRun();
  await outputOf(start(run));
  requests = servers.proxy.seen.length;
  await undisturbed.expectSame(servers, run);
}, START_TIMEOUT);

afterAll(async () => {
  await undisturbed?.remove();
  await servers?.stop();
}, 60_000);

afterEach(() => {
  servers.proxy.decide = () => 'pass';
});

let runs = 0;
/** A run that no test had before: its options. */
function newRun(rows = 3000): string[] {
  const seed = String(SEED * 1000 + ++runs);
  return [
    ...['--run-id', `run-${seed}`, '--seed', seed, '--rows', String(rows)],
    ...['--shards', '2', '--trees', '2', '--max-depth', '3'],
  ];
}

function start(run: readonly string[]) {
  return servers.command(['run', ...run, '--format', 'json']);
}

describe('a run on MinIO', () => {
  it.each([
    ['bronze lands', 'lake/bronze/purchases/part-', 'drop'],
    ['silver commits', 'lake/silver/purchases/_delta_log/', 'cut'],
    ['gold commits', 'lake/gold/purchases_by_period/_delta_log/', 'cut'],
  ] as const)(
    'goes on when MinIO is killed as %s, and started again',
    async (_, key, fate) => {
      const run = newRun();
      let paused: Promise<void> | undefined;
      servers.onceAt(writes(key), () => {
        paused = servers.pauseMinio(3000);
        return fate;
      });
      await outputOf(start(run));
      expect(paused).toBeDefined();
      await paused;
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  it(
    'fails in one line when MinIO stays away, and is whole when it is executed again',
    async () => {
      const run = newRun();
      let stopped: Promise<void> | undefined;
      servers.onceAt(writes('lake/silver/purchases/_delta_log/'), () => {
        stopped = servers.stopMinio();
        return 'cut';
      });
      // A minute of patience, and some seconds for each further try.
      const { code, out, err } = await start(run).ended;
      expect(stopped).toBeDefined();
      await stopped;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err.match(/^error .*/gm)).toEqual([
        expect.stringMatching(/^error STORE_UNREACHABLE: .*s3:\/\/lakelet\/lake.*AWS_ENDPOINT_URL_S3/),
      ]);
      await servers.startMinio();
      await outputOf(start(run));
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  it.each(Array.from({ length: ROUNDS }, (_, round) => SEED + round))(
    'goes on over a network that loses, delays, doubles and cuts requests and answers, by seed %d',
    async (seed) => {
      const run = newRun();
      servers.proxy.decide = mixed(seed, 0.2);
      await outputOf(start(run));
      await servers.proxy.settled();
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  const random = seeded(SEED);
  it.each(Array.from({ length: ROUNDS }, () => Number(random().toFixed(2))))(
    'that is killed when %d of it is done, and executed again, leaves what an undisturbed one leaves',
    async (share) => {
      const at = Math.floor(share * requests);
      const run = newRun();
      const command = start(run);
      const exited = once(command.child, 'exit');
      let left = at;
      servers.onceAt(
        () => left-- === 0,
        () => {
          command.child.kill('SIGKILL');
          return at % 2 === 0 ? 'cut' : 'drop';
        },
      );
      expect(await exited).toEqual([null, 'SIGKILL']);
      await servers.proxy.settled();
      await outputOf(start(run));
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );

  it(
    'that two processes execute at the same time has one effect, and both tell the same',
    async () => {
      const run = newRun();
      const [first, second] = await Promise.all([outputOf(start(run)), outputOf(start(run))]);
      expect(second).toEqual(first);
      await undisturbed.expectSame(servers, run);
    },
    LIMIT,
  );
});
