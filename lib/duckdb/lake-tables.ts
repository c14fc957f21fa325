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

/** Keys of one folder that are read on before the rest is skipped by a new listing, which costs a request of S3. */
const READ_ON = 100;

/**
 * The tables of a lake, by name: folders of the first or second level that hold a `_delta_log`. Of each folder only the
 * first keys are read, so that it takes no longer when a table has many files.
 */
export async function lakeTables(lake: ObjectStore): Promise<LakeTable[]> {
  const tables: LakeTable[] = [];
  let after: string | undefined = '';
  while (after !== undefined) after = await readOn(lake, after, tables);
  return tables;
}

/** Adds the tables that come after a key; tells after which key to go on where a folder has so many that it is skipped. */
async function readOn(lake: ObjectStore, after: string, tables: LakeTable[]): Promise<string | undefined> {
  let folder: string | undefined;
  let keys = 0;
  for await (const { key } of lake.list('', { startAfter: after })) {
    const [first, second, third] = key.split('/');
    if (first === undefined || second === undefined || third === undefined) continue;
    const path = `${first}/${second}`;
    keys = path === folder ? keys + 1 : 1;
    folder = path;
    const found = second === '_delta_log' ? [first] : third === '_delta_log' ? [first, second] : undefined;
    if (found !== undefined) add(tables, found);
    if (keys < READ_ON) continue;
    if (tables.at(-1)?.path !== path && (await hasLog(lake, path))) add(tables, [first, second]);
    return `${path}/${LAST}`;
  }
  return undefined;
}

function add(tables: LakeTable[], name: readonly string[]): void {
  const path = name.join('/');
  if (tables.at(-1)?.path !== path) tables.push({ name, path });
}

async function hasLog(lake: ObjectStore, path: string): Promise<boolean> {
  for await (const _ of lake.list(`${path}/_delta_log/`)) return true;
  return false;
}
