import type { ObjectStore } from '../storage/index.ts';

/** A table of the lake. */
export interface LakeTable {
  /** How SQL names it: its folders, `bronze` and `purchases`. */
  readonly name: readonly string[];
  /** Its place below the lake's root. */
  readonly path: string;
}

/** Comes after every key that begins with what stands before it. */
const LAST = '\u{10ffff}';

/**
 * The tables of a lake, by name: folders of the first or second level that hold a `_delta_log`. Of each folder only the
 * first keys are read, so that it takes no longer when a table has many files.
 */
export async function lakeTables(lake: ObjectStore): Promise<LakeTable[]> {
  const tables: LakeTable[] = [];
  let after = '';
  for (;;) {
    const path = await nextFolder(lake, after);
    if (path === undefined) return tables;
    const name = path.split('/');
    const [, second] = name;
    if (second === '_delta_log') tables.push({ name: name.slice(0, 1), path: path.slice(0, -'/_delta_log'.length) });
    else if (await hasLog(lake, path)) tables.push({ name, path });
    after = `${path}/${LAST}`;
  }
}

/** The first two parts of the next key that has at least three. */
async function nextFolder(lake: ObjectStore, after: string): Promise<string | undefined> {
  for await (const { key } of lake.list('', { startAfter: after })) {
    const parts = key.split('/');
    if (parts.length > 2) return parts.slice(0, 2).join('/');
  }
  return undefined;
}

async function hasLog(lake: ObjectStore, path: string): Promise<boolean> {
  for await (const _ of lake.list(`${path}/_delta_log/`)) return true;
  return false;
}
