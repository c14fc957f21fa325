/** A name in a statement. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text constant in a statement. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
