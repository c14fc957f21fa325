import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { environment, START_TIMEOUT } from './s3-servers.ts';

const ROOT = join(import.meta.dirname, '..', '..');

it(
  'the bench of S3 measures both lakes in one run',
  async () => {
    const args = [join(ROOT, 'bench', 's3.ts'), '--rows', '2000', '--repeat', '1', '--trees', '5'];
    const { NODE_OPTIONS: _, ...env } = environment({});
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    const figures = new Map(
      stdout.split('\n').map((line) => [line.slice(0, 14).trim(), line.slice(14).trim().split(/\s+/).map(Number)]),
    );
    for (const name of ['bronze s', 'silver s', 'aggregates s', 'train s', 'total s', 'peak MB']) {
      const [onS3 = 0, inFolder = 0, ratio = 0] = figures.get(name) ?? [];
      expect(Math.min(onS3, inFolder, ratio)).toBeGreaterThan(0);
    }
  },
  START_TIMEOUT,
);
