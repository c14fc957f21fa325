import { fileLiteral, literal } from './names.ts';

/**
 * The statements after which an instance reads the files given and no others, writes none, and keeps its settings as they
 * are (https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview). There is no way back.
 *
 * @param paths local files, absolute
 */
export function lockStatements(paths: Iterable<string>): string[] {
  // A path is checked twice: as a reader's pattern, then as the file that it stands for.
  const allowed = [...paths].flatMap((path) => [...new Set([fileLiteral(path), literal(path)])]);
  return [
    `SET allowed_paths = [${allowed.join(', ')}]`,
    // What does not fit in memory would be spilled to a folder that SQL could then reach.
    "SET temp_directory = ''",
    'SET allow_community_extensions = false',
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ];
}
