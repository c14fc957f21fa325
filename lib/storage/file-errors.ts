import { LakeletError, messageOf, printable, systemCode } from '../errors.ts';

/** Whether a system error says that there is nothing at the path (a part of the path may be a file). */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A system error of a folder store as a {@link LakeletError}; one that is a LakeletError already passes through. */
export function fileError(error: unknown, doing: string, path: string): LakeletError {
  if (error instanceof LakeletError) return error;
  const where = `Cannot ${doing} ${printable(path, 300)}`;
  const wrap = (code: string, rest: string, retryable = false) =>
    new LakeletError(code, `${where}: ${rest}`, { cause: error, retryable });
  switch (systemCode(error)) {
    case 'ENOENT':
      return wrap('NOT_FOUND', "it, or a folder on its way, is not there and can't be made; check the path");
    case 'EACCES':
    case 'EPERM':
      return wrap('ACCESS_DENIED', 'this user may not; change the permissions or choose another folder');
    case 'EROFS':
      return wrap('ACCESS_DENIED', 'the file system is read-only; choose another folder');
    case 'ENOSPC':
      return wrap('STORE_FULL', 'the disk is full; free some space and run it again');
    case 'EDQUOT':
      return wrap('STORE_FULL', "the user's disk quota is used up; free some space and run it again");
    case 'ENOTDIR':
    case 'EEXIST':
      return wrap('NOT_A_FOLDER', 'a file stands where a folder is needed; choose another folder');
    case 'EISDIR':
    case 'ENOTEMPTY':
      return wrap('STORE_FAILED', 'a folder stands where a file is needed; choose another name');
    case 'ENAMETOOLONG':
      return wrap('INVALID_KEY', 'the name is too long for this file system');
    case 'ELOOP':
      return wrap(
        'INVALID_KEY',
        'it is a symbolic link, which a store does not follow; open the folder that it leads to',
      );
    case 'EMFILE':
    case 'ENFILE':
      return wrap('STORE_FAILED', 'too many files are open; raise the limit (ulimit -n) or try again', true);
    case 'EAGAIN':
    case 'EBUSY':
    case 'ETIMEDOUT':
    case 'ESTALE':
      return wrap('STORE_FAILED', `${printable(messageOf(error))}; try again`, true);
    default:
      return wrap('STORE_FAILED', `${printable(messageOf(error))}; check the disk (lakelet doctor tests it)`);
  }
}
