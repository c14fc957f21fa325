import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openStore } from '../../../lib/storage/index.ts';

describe('openStore', () => {
  it('takes a folder as a path or as a file URL', () => {
    const folder = join(process.cwd(), 'some lake 100%');
    expect(openStore('some lake 100%').localPath('k')).toBe(join(folder, 'k'));
    expect(openStore(folder).localPath('k')).toBe(join(folder, 'k'));
    expect(openStore(pathToFileURL(folder).href).localPath('k')).toBe(join(folder, 'k'));
    expect(openStore(folder).uri).toBe(pathToFileURL(folder).href);
  });

  it.each(['', '  ', 'a\0b', 'memory://', 'gopher://x/y', 'file://elsewhere/share', 'file:///a%2fb'])(
    'refuses %j',
    (uri) => {
      expect(() => openStore(uri)).toThrow(expect.objectContaining({ name: 'LakeletError', code: 'INVALID_URI' }));
    },
  );
});
