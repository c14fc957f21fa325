import type { DataType } from '../delta/schema/types.ts';
import { identifier, literal } from './names.ts';

/**
 * An expression for a value with the field names of another type.
 *
 * @param from the value's type
 * @param to a type that differs in the names of fields alone
 */
export function renamed(value: string, from: DataType, to: DataType, depth = 0): string {
  if (typeof from === 'string' || typeof to === 'string' || JSON.stringify(from) === JSON.stringify(to)) return value;
  // Each list has a name for its element that those around it have not.
  const item = `item${depth}`;
  if (from.type === 'struct' && to.type === 'struct') {
    const fields = from.fields.flatMap((field, at) => {
      const target = to.fields[at];
      if (target === undefined) return [];
      const inner = `struct_extract(${value}, ${literal(field.name)})`;
      return [`${identifier(target.name)} := ${renamed(inner, field.type, target.type, depth)}`];
    });
    return `CASE WHEN (${value}) IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`;
  }
  if (from.type === 'array' && to.type === 'array') {
    return `list_transform(${value}, lambda ${item}: ${renamed(item, from.elementType, to.elementType, depth + 1)})`;
  }
  if (from.type === 'map' && to.type === 'map') {
    const key = renamed(`${item}.key`, from.keyType, to.keyType, depth + 1);
    const inner = renamed(`${item}.value`, from.valueType, to.valueType, depth + 1);
    return `map_from_entries(list_transform(map_entries(${value}), lambda ${item}: struct_pack(k := ${key}, v := ${inner})))`;
  }
  return value;
}
