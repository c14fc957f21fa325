/**
 * A value that a column is compared with, in the form that a Delta column of that type has in JavaScript: a string; a
 * number or bigint for byte, short, integer, long; a number for float and double; a decimal as text (`'12.50'`); a
 * boolean; a date as `YYYY-MM-DD`; a timestamp as ISO 8601 with up to six digits of a second, with `Z` or an offset for
 * `timestamp` and without for `timestamp_ntz`; null.
 */
export type Literal = string | number | bigint | boolean | null;

/** The names of the six comparisons, and `eqNullSafe`: equal, where null equals null. */
export type ComparisonOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'eqNullSafe';

/** The path of a column from the table's struct down, in the schema's spelling: `['st', 'x']` is `st.x`. */
export type ColumnPath = readonly string[];

/** Column and value, compared. */
export interface Comparison {
  readonly op: ComparisonOp;
  readonly column: ColumnPath;
  readonly value: Literal;
}

/**
 * A condition on the rows of a table, as far as it is understood, with SQL's three values (true, false, null).
 * `and` of nothing is true, `or` of nothing is false. `startsWith` is `LIKE 'prefix%'`. What is not understood is
 * `unknown`: it may be true, false or null for any row, so that the rest of the condition still skips files.
 */
export type Predicate =
  | { readonly op: 'and' | 'or'; readonly children: readonly Predicate[] }
  | { readonly op: 'not'; readonly child: Predicate }
  | Comparison
  | { readonly op: 'in'; readonly column: ColumnPath; readonly values: readonly Literal[] }
  | { readonly op: 'between'; readonly column: ColumnPath; readonly lower: Literal; readonly upper: Literal }
  | { readonly op: 'isNull' | 'isNotNull'; readonly column: ColumnPath }
  | { readonly op: 'startsWith'; readonly column: ColumnPath; readonly prefix: string }
  | { readonly op: 'unknown' };

/** The paths of all columns that a predicate names, each once, in the order of their first mention. */
export function predicateColumns(predicate: Predicate): ColumnPath[] {
  const found = new Map<string, ColumnPath>();
  const visit = (node: Predicate): void => {
    if ('column' in node) {
      const key = JSON.stringify(node.column);
      if (!found.has(key)) found.set(key, node.column);
    } else if (node.op === 'not') visit(node.child);
    else if (node.op === 'and' || node.op === 'or') node.children.forEach(visit);
  };
  visit(predicate);
  return [...found.values()];
}
