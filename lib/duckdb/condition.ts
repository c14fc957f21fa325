import type { DuckDBConnection } from '@duckdb/node-api';
import { isRecord } from '../delta/schema/types.ts';
import { LakeletError, printable } from '../errors.ts';

/** A node of DuckDB's parsed expressions, as `json_serialize_sql` gives it; every number in it is text. */
export type Expression = Readonly<Record<string, unknown>>;

/** What a SELECT with a condition alone has in its parsed form. */
const PARTS = new Set(['type', 'select_list', 'from_table', 'where_clause', 'aggregate_handling']);

/**
 * The parsed form of a condition, by DuckDB's own parser.
 *
 * The text is parsed twice, bare and in parentheses, as the condition of a SELECT: what closes the parenthesis fails
 * bare, what goes on after the condition (ORDER BY, a second statement, …) fails in parentheses, so that what passes is
 * one expression and may stand in parentheses, followed by a line break, in any statement.
 *
 * @throws LakeletError `INVALID_PREDICATE`, with DuckDB's text
 */
export async function parseCondition(connection: DuckDBConnection, sql: string): Promise<Expression> {
  if (sql.includes('\0')) throw invalid(sql, 'it holds a NUL character');
  const bare = `SELECT 1 FROM t WHERE ${sql}\n`;
  const enclosed = `SELECT 1 FROM t WHERE (${sql}\n)`;
  const reader = await connection.runAndReadAll(
    `SELECT ${[1, 2].map((at) => `json_serialize_sql($${at}::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)::VARCHAR`)}`,
    [bare, enclosed],
  );
  const [first, second] = (reader.getRows()[0] ?? []).map((text) => whereClause(sql, String(text)));
  if (first === undefined || second === undefined) throw invalid(sql, 'it is more than one condition');
  return second;
}

function whereClause(sql: string, text: string): Expression | undefined {
  const parsed: unknown = JSON.parse(numbersAsText(text));
  if (!isRecord(parsed)) return undefined;
  if (parsed.error !== false) throw invalid(sql, String(parsed.error_message));
  const [statement, ...others] = Array.isArray(parsed.statements) ? parsed.statements : [];
  const node = others.length === 0 && isRecord(statement) ? statement.node : undefined;
  if (!isRecord(node) || node.type !== 'SELECT_NODE' || Object.keys(node).some((part) => !PARTS.has(part))) {
    return undefined;
  }
  return isRecord(node.where_clause) ? node.where_clause : undefined;
}

/** JSON in which numbers become strings: they may be longer than a double holds, and infinite, which JSON does not know. */
function numbersAsText(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?(?:Infinity|NaN|\d[\d.eE+-]*)/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function invalid(sql: string, why: string): LakeletError {
  const reason = printable(why.replace(/\s+/g, ' ').trim(), 300);
  return new LakeletError(
    'INVALID_PREDICATE',
    `The condition ${printable(sql, 200)} cannot be used: ${reason}. Give one SQL condition on the table's columns`,
  );
}

/** The children of a node. */
export function childrenOf(node: Expression): Expression[] {
  return Array.isArray(node.children) ? node.children.filter(isRecord) : [];
}

/** A child by its role. */
export function childOf(node: Expression, role: string): Expression {
  const child = node[role];
  return isRecord(child) ? child : {};
}

/** The text of a string constant. */
export function stringConstant(node: Expression): string | undefined {
  if (node.class !== 'CONSTANT') return undefined;
  const value = childOf(node, 'value');
  return typeId(value.type) === 'VARCHAR' && typeof value.value === 'string' ? value.value : undefined;
}

/** The name of a type that carries nothing else (a width, a list's element) in `allowed`. */
export function typeId(type: unknown): string | undefined {
  return isRecord(type) && typeof type.id === 'string' ? type.id : undefined;
}
