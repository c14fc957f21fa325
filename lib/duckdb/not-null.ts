import { type DataType, type StructField, shownPath } from '../delta/schema/types.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import { literal } from './names.ts';

/** What the error of a statement says where a NULL stands that the schema does not allow. */
const NULL_FOUND = 'lakelet: null in ';

/** A condition that is true where a NULL is not allowed, and the place that it looks at. */
interface Violation {
  readonly condition: string;
  readonly path: readonly string[];
}

/** An expression's value, which fails where a NULL in it, or in what is nested in it, is one that the field does not allow. */
export function withoutNulls(value: string, field: StructField): string {
  const violations: Violation[] = field.nullable ? [] : [{ condition: `(${value}) IS NULL`, path: [field.name] }];
  violations.push(...nested(value, field.type, [field.name]));
  if (violations.length === 0) return value;
  const cases = violations.map(
    ({ condition, path }) => `WHEN ${condition} THEN error(${literal(NULL_FOUND + shownPath(path))})`,
  );
  return `CASE ${cases.join(' ')} ELSE ${value} END`;
}

function nested(value: string, type: DataType, path: readonly string[]): Violation[] {
  if (typeof type === 'string') return [];
  switch (type.type) {
    case 'struct':
      return type.fields.flatMap((field) => {
        const inner = `struct_extract(${value}, ${literal(field.name)})`;
        const here = [...path, field.name];
        const condition = `((${value}) IS NOT NULL AND ${inner} IS NULL)`;
        return [...(field.nullable ? [] : [{ condition, path: here }]), ...nested(inner, field.type, here)];
      });
    case 'array':
      return inList(value, type.elementType, type.containsNull, [...path, 'element']);
    case 'map':
      return [
        ...inList(`map_keys(${value})`, type.keyType, true, [...path, 'key']),
        ...inList(`map_values(${value})`, type.valueType, type.valueContainsNull, [...path, 'value']),
      ];
  }
}

function inList(list: string, type: DataType, allowsNull: boolean, path: readonly string[]): Violation[] {
  const own = allowsNull ? [] : [{ condition: `list_count(${list}) < len(${list})`, path }];
  // Each list has a name for its element that those around it have not.
  const element = `element${path.length}`;
  const inner = nested(element, type, path).map(({ condition, path: place }) => ({
    condition: `list_bool_or(list_transform(${list}, lambda ${element}: ${condition}))`,
    path: place,
  }));
  return [...own, ...inner];
}

/** The error of a statement that met such a NULL; undefined for any other. */
export function nullViolation(error: unknown, uri: string): LakeletError | undefined {
  const place = /lakelet: null in ([^\n]*)/.exec(messageOf(error))?.[1];
  if (place === undefined) return undefined;
  return new LakeletError(
    'NOT_NULL_VIOLATED',
    `The source has NULL for ${printable(place, 100)}, which the table ${printable(uri, 300)} does not allow; nothing was written`,
    { cause: error },
  );
}
