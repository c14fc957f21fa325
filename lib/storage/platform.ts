/**
 * Everything in which file systems and operating systems differ for a folder store, in one place.
 */
import { constants } from 'node:fs';
import { link, open, rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode } from '../errors.ts';

const WINDOWS = process.platform === 'win32';

/** Flags that open a file for reading but refuse a symbolic link (`ELOOP`); Windows has no such flag. */
export const OPEN_NO_FOLLOW = constants.O_RDONLY | (WINDOWS ? 0 : constants.O_NOFOLLOW);

/** What a part of a key may not hold on this system, beyond what no store takes. */
export function isLegalName(name: string): boolean {
  if (!WINDOWS) return true;
  // A colon would name an alternate stream, and trailing dots and spaces vanish silently.
  return !/[\\:*?"<>|]|[. ]$/.test(name) && !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name);
}

/**
 * Makes the entries of a folder survive a power cut. Windows refuses to open a folder for that (`EPERM`) and journals the
 * entries itself; some network and FUSE mounts answer that they have no such call.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (WINDOWS) return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
  } finally {
    await handle.close();
  }
}

/** How {@link linkIfAbsent} ended. */
export type LinkOutcome = 'linked' | 'exists' | 'unsupported';

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EISDIR', 'UNKNOWN']);

/**
 * Gives the file `from` the second name `to`, atomically and only if that is free. `unsupported` where the file system has
 * no hard links (exFAT, many FUSE and shared-folder mounts). Throws the system's error for all else.
 */
export async function linkIfAbsent(from: string, to: string): Promise<LinkOutcome> {
  try {
    await link(from, to);
    return 'linked';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return 'exists';
    if (code !== undefined && NO_LINKS.has(code)) return 'unsupported';
    throw error;
  }
}

/** Renames over whatever file is there. Windows refuses for a moment while another process has the target open. */
export async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const code = systemCode(error);
      const passing = WINDOWS && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY');
      if (!passing || attempt === 10) throw error;
      await sleep(attempt * 10);
    }
  }
}
