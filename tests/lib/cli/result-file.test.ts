import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { write } from '../../../lib/cli/output.ts';
import { replaceTextFile } from '../../../lib/cli/result-file.ts';
import { openStore } from '../../../lib/storage/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-result-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('replaceTextFile', () => {
  it('replaces a file whole', async () => {
    const file = join(folder, 'a.csv');
    await writeFile(file, 'something longer that was there');
    const text = 'line\n'.repeat(50_000);
    await replaceTextFile(file, async (out) => {
      for (const line of text.match(/.{5}/gs) ?? []) await write(out, line);
    });
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  it('leaves the old file, and nothing else, when filling fails', async () => {
    const file = join(folder, 'a.csv');
    await writeFile(file, 'old');
    const filled = replaceTextFile(file, async (out) => {
      await write(out, 'new');
      throw new TypeError('no more');
    });
    await expect(filled).rejects.toThrow('no more');
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.csv']);
  });

  it.each(['missing/a.csv', 'sub'])('says in one line that %s cannot be written', async (name) => {
    await mkdir(join(folder, 'sub'));
    await expect(replaceTextFile(join(folder, name), async (out) => write(out, 'x'))).rejects.toMatchObject({
      name: 'LakeletError',
      code: 'OUTPUT_FAILED',
    });
    expect(await readdir(folder)).toEqual(['sub']);
  });

  it('writes an object of a store, whole or not at all', async () => {
    const store = openStore('memory://results/a');
    await replaceTextFile('memory://results/a/b.csv', async (out) => write(out, 'x,y'));
    const failed = replaceTextFile('memory://results/a/b.csv', async (out) => {
      await write(out, 'new');
      throw new TypeError('no more');
    });
    await expect(failed).rejects.toThrow('no more');
    expect(new TextDecoder().decode(await store.get('b.csv'))).toBe('x,y');
  });

  it.each(['memory://results', 'memory://results/', 's3://'])('says that %s names no object', async (uri) => {
    await expect(replaceTextFile(uri, async (out) => write(out, 'x'))).rejects.toMatchObject({ code: 'OUTPUT_FAILED' });
  });

  // Only Linux has a device that is always full.
  if (process.platform === 'linux') {
    it('says that the disk is full', async () => {
      const filled = replaceTextFile('/dev/full', async (out) => {
        for (let i = 0; i < 100; i++) await write(out, 'x'.repeat(10_000));
      });
      await expect(filled).rejects.toMatchObject({ code: 'OUTPUT_FAILED', message: expect.stringContaining('ENOSPC') });
    });
  }
});
