import { existsSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LakeletError } from './errors.ts';

/**
 * The folder of the running module: `lib` in a checkout and in jest, `dist/lib` in the built package, the bundle's own
 * folder in a Lambda and under `serverless invoke local`.
 */
export const moduleFolder: string = dirname(fileURLToPath(import.meta.url));

/**
 * The nearest folder that holds `marker`, from `start` upward, or undefined.
 *
 * @param marker a path relative to the folder that is looked for, for example `statemachine/lakehouse.asl.json`
 * @param start where to begin, an absolute path
 * @param stopAt the name of a folder that ends the walk: neither it nor what is above it is looked at
 */
export function folderAbove(marker: string, start: string, stopAt?: string): string | undefined {
  const top = parse(start).root;
  for (let folder = start; ; folder = dirname(folder)) {
    if (stopAt !== undefined && parse(folder).base === stopAt) return undefined;
    if (existsSync(join(folder, marker))) return folder;
    if (folder === top) return undefined;
  }
}

/** The checkout that the running code lies in; undefined where it was installed as a package, or bundled. */
export function checkoutFolder(): string | undefined {
  return folderAbove('serverless.yml', moduleFolder, 'node_modules');
}

/**
 * The absolute path of a file that is shipped with Lakelet beside its code (SQL, the state machine's definition). It is
 * found from the module's own place, never from the working folder, so that source, jest, the built package and a bundle
 * load it alike.
 *
 * @param path relative to the project, for example `datasets/purchases/silver.sql`
 * @throws LakeletError `FILE_MISSING`
 */
export function shippedFile(path: string): string {
  const folder = folderAbove(path, moduleFolder);
  if (folder === undefined) {
    throw new LakeletError(
      'FILE_MISSING',
      `${path} is in no folder above ${moduleFolder}: install Lakelet again, or add ${path} to what is deployed (package.patterns in serverless.yml).`,
    );
  }
  return join(folder, path);
}
