import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';

/** Table functions that make rows from their arguments alone. */
const TABLE_FUNCTIONS = new Set([
  'generate_series',
  'json_each',
  'json_tree',
  'range',
  'repeat',
  'repeat_row',
  'unnest',
]);

/** Functions that tell of the instance and its settings, run SQL that is worked out, or leave something behind. */
const REFUSED_FUNCTIONS = new Set([
  'current_setting',
  'currval',
  'get_block_size',
  'getenv',
  'getvariable',
  'json_execute_serialized_sql',
  'json_serialize_plan',
  'nextval',
  'pg_get_constraintdef',
  'pg_get_viewdef',
  'query',
  'query_table',
  'write_log',
]);

/**
 * The tables of the lake that a statement reads, by their lower-case names. Everything else that it could read is refused:
 * files, DuckDB's own catalog and settings, functions that read either.
 *
 * @param tree a statement as `parseSelect` gives it
 * @param isTable whether the lake has a table of a lower-case name
 * @returns names, each once, by their text: `["silver","purchases"]`
 * @throws LakeletError `QUERY_REFUSED`, `QUERY_INVALID`, `TABLE_NOT_FOUND`
 */
export function checkQuery(
  tree: Readonly<Record<string, unknown>>,
  isTable: (name: readonly string[]) => boolean,
): ReadonlySet<string> {
  const tables = new Set<string>();
  visit(tree, new Set(), (parts) => {
    const name = parts.map((part) => part.toLowerCase());
    if (!isTable(name)) throw tableNotFound(parts);
    tables.add(JSON.stringify(name));
  });
  return tables;
}

/** @param scope the names that WITH gives at this place, in lower case */
function visit(node: unknown, scope: ReadonlySet<string>, onTable: (name: readonly string[]) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, scope, onTable);
    return;
  }
  if (!isRecord(node)) return;
  if (node.type === 'BASE_TABLE') checkTable(node, scope, onTable);
  if (node.type === 'SHOW_REF' && !isRecord(node.query)) throw refused('SHOW', 'GET /tables lists the tables');
  if (node.type === 'TABLE_FUNCTION') checkTableFunction(node.function);
  if (node.class === 'FUNCTION' || node.class === 'WINDOW') checkFunction(node);
  if (node.class === 'PARAMETER') {
    throw new LakeletError('QUERY_INVALID', 'The SQL has parameters (? or $1); write their values into it');
  }
  const { cte_map: common, ...rest } = node;
  const inner = visitCommon(common, scope, onTable);
  for (const item of Object.values(rest)) visit(item, inner, onTable);
}

/** Visits the tables of WITH in their order, each of which sees those before it; gives the names that hold after them. */
function visitCommon(
  common: unknown,
  scope: ReadonlySet<string>,
  onTable: (name: readonly string[]) => void,
): ReadonlySet<string> {
  const entries = isRecord(common) && Array.isArray(common.map) ? common.map : [];
  let seen = scope;
  for (const entry of entries) {
    if (!isRecord(entry)) continue;
    const named = new Set([...seen, String(entry.key).toLowerCase()]);
    visit(entry.value, isRecursive(entry.value) ? named : seen, onTable);
    seen = named;
  }
  return seen;
}

function isRecursive(common: unknown): boolean {
  return (
    isRecord(common) &&
    isRecord(common.query) &&
    isRecord(common.query.node) &&
    common.query.node.type === 'RECURSIVE_CTE_NODE'
  );
}

function checkTable(
  node: Readonly<Record<string, unknown>>,
  scope: ReadonlySet<string>,
  onTable: (name: readonly string[]) => void,
): void {
  const [catalog, schema, table] = [node.catalog_name, node.schema_name, node.table_name].map((part) =>
    typeof part === 'string' ? part : '',
  );
  if (table === undefined || schema === undefined) return;
  if (catalog !== '') throw tableNotFound([String(catalog), schema, table]);
  if (isRecord(node.at_clause)) throw refused('AT', 'GET /tables/{layer}/{name}?version=N reads an older version');
  if (schema === '' && scope.has(table.toLowerCase())) return;
  onTable(schema === '' ? [table] : [schema, table]);
}

function checkTableFunction(call: unknown): void {
  if (!isRecord(call)) throw refused('a table function', 'read the tables of the lake by their names');
  const name = String(call.function_name).toLowerCase();
  if (TABLE_FUNCTIONS.has(name) && isBuiltIn(call)) return;
  throw refused(`${printable(name, 60)}()`, 'read the tables of the lake by their names');
}

function checkFunction(call: Readonly<Record<string, unknown>>): void {
  const name = String(call.function_name).toLowerCase();
  if (REFUSED_FUNCTIONS.has(name) || !isBuiltIn(call)) {
    throw refused(`${printable(name, 60)}()`, 'a query computes from the tables of the lake alone');
  }
}

/** True for a function that is named by itself, or as `main.name`. */
function isBuiltIn({ catalog, schema }: Readonly<Record<string, unknown>>): boolean {
  return (catalog === '' || catalog === undefined) && ['', 'main', undefined].includes(schema as string | undefined);
}

function refused(what: string, instead: string): LakeletError {
  return new LakeletError('QUERY_REFUSED', `${what} may not be used in a query over HTTP: ${instead}`);
}

function tableNotFound(name: readonly string[]): LakeletError {
  return new LakeletError(
    'TABLE_NOT_FOUND',
    `The lake has no table ${printable(name.join('.'), 200)}; GET /tables lists those that it has`,
  );
}
