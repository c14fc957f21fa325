import { LakeletError } from '../../../lib/errors.ts';
import { fileError } from '../../../lib/storage/file-errors.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, open '/x'`), { code });
}

describe('fileError', () => {
  it.each([
    ['ENOSPC', 'STORE_FULL', false],
    ['EDQUOT', 'STORE_FULL', false],
    ['EACCES', 'ACCESS_DENIED', false],
    ['EPERM', 'ACCESS_DENIED', false],
    ['EROFS', 'ACCESS_DENIED', false],
    ['ENOTDIR', 'NOT_A_FOLDER', false],
    ['ENOENT', 'NOT_FOUND', false],
    ['ENAMETOOLONG', 'INVALID_KEY', false],
    ['ELOOP', 'INVALID_KEY', false],
    ['EMFILE', 'STORE_FAILED', true],
    ['EBUSY', 'STORE_FAILED', true],
    ['EIO', 'STORE_FAILED', false],
  ])('turns %s into %s in one line that names the path, retryable %s', (system, code, retryable) => {
    const error = fileError(systemError(system), 'write', '/lake/a\nb');
    expect(error).toMatchObject({ name: 'LakeletError', code, retryable });
    expect(error.message).toContain('Cannot write /lake/a\\nb: ');
    expect(error.message).not.toContain('\n');
    expect(error.cause).toMatchObject({ code: system });
  });

  it('leaves a LakeletError as it is', () => {
    const error = new LakeletError('INVALID_KEY', 'x');
    expect(fileError(error, 'write', '/x')).toBe(error);
  });
});
