import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../../localstack/lock.ts';

describe('a lock between processes', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-lock-'));
    file = join(folder, 'deep', 'install.lock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('lets one work at a time, and all of them in the end', async () => {
    let inside = 0;
    let most = 0;
    const work = async (answer: number) => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
      return answer;
    };
    const answers = await Promise.all([1, 2, 3, 4].map((answer) => withLock(file, () => work(answer))));
    expect(answers).toEqual([1, 2, 3, 4]);
    expect(most).toBe(1);
    expect(await readdir(join(folder, 'deep'))).toEqual([]);
  });

  it('is given back where the work fails', async () => {
    await expect(withLock(file, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
    expect(await withLock(file, () => Promise.resolve('next'))).toBe('next');
  });

  it('is taken over from a process that has died', async () => {
    await withLock(file, () => Promise.resolve());
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await writeFile(file, `${pid} any`);
    const ran: number[] = [];
    const work = async (which: number) => ran.push(which);
    await Promise.all([withLock(file, () => work(1)), withLock(file, () => work(2))]);
    expect(ran.sort()).toEqual([1, 2]);
    expect(await readdir(join(folder, 'deep'))).toEqual([]);
  });

  it('says whom it waits for, and waits no longer when it is cancelled', async () => {
    await withLock(file, async () => {
      const cancelled = new AbortController();
      const said: string[] = [];
      const say = (line: string) => {
        said.push(line);
        cancelled.abort();
      };
      const waiting = withLock(file, () => Promise.resolve(), { say, signal: cancelled.signal });
      await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(said).toEqual([expect.stringContaining(`process ${process.pid}, which holds ${file}`)]);
    });
  });
});
