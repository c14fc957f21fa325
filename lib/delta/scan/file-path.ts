import { pathToFileURL } from 'node:url';
import { LakeletError, printable } from '../../errors.ts';
import type { ObjectStore } from '../../storage/index.ts';

/** The `path` of an add action for a key of the store: percent-encoded part by part (RFC 2396). */
export function pathOfKey(key: string): string {
  return key.split('/').map(encodePart).join('/');
}

function encodePart(part: string): string {
  return encodeURIComponent(part).replaceAll('%3D', '=');
}

/**
 * The key of an add action's `path`. An absolute path counts where it lies inside the table's own folder; a file
 * elsewhere (a shallow clone's) is refused, since a log that someone else wrote could name any file.
 *
 * @throws LakeletError `FILE_OUTSIDE_TABLE`
 */
export function keyOfPath(store: ObjectStore, path: string): string {
  const decoded = decode(path);
  if (!/^([a-z][a-z0-9+.-]*:|\/)/i.test(decoded)) return decoded;
  for (const root of rootsOf(store)) {
    if (decoded.startsWith(root)) return decoded.slice(root.length);
  }
  throw new LakeletError(
    'FILE_OUTSIDE_TABLE',
    `The table ${printable(store.uri, 300)} holds the file ${printable(decoded, 300)}, which lies outside of its folder, as a shallow clone's do; copy the table (deep clone) to read it here`,
  );
}

function rootsOf(store: ObjectStore): string[] {
  const folder = store.localPath('x')?.slice(0, -1);
  const local = folder === undefined ? [] : [folder, decode(pathToFileURL(folder).href), `file:${folder}`];
  return [`${store.uri}/`, `${decode(store.uri)}/`, ...local];
}

/** A path that is no percent-encoding can only be meant as it stands. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
