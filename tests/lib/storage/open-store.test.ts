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

  it('takes a bucket and a prefix, with nothing encoded, and reads nothing', () => {
    expect(openStore('s3://bucket').uri).toBe('s3://bucket');
    expect(openStore('S3://bucket/').uri).toBe('s3://bucket');
    expect(openStore('s3://bucket/a b/100%/').uri).toBe('s3://bucket/a b/100%');
    expect(openStore('s3://bucket/a').at('b/c').uri).toBe('s3://bucket/a/b/c');
    expect(openStore('s3://bucket/a').localPath('k')).toBeUndefined();
  });

  it.each([
    '',
    '  ',
    'a\0b',
    'memory://',
    'gopher://x/y',
    's3://',
    's3:///prefix',
    's3://b/p',
    's3://bucket/a//b',
    's3://bucket/..',
    's3a://bucket/x',
    'file://elsewhere/share',
    'file:///a%2fb',
  ])('refuses %j', (uri) => {
    expect(() => openStore(uri)).toThrow(expect.objectContaining({ name: 'LakeletError', code: 'INVALID_URI' }));
  });
});
