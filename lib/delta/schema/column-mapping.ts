import { LakeletError, printable } from '../../errors.ts';
import { type DataType, type StructField, type StructType, shownPath } from './types.ts';

/** How data files name columns (PROTOCOL.md, "Column Mapping"): as the schema does, by physical names, or by ids as well. */
export type MappingMode = 'none' | 'name' | 'id';

const MODE = 'delta.columnMapping.mode';

/** The mode of a table, by its properties. Throws `UNSUPPORTED_FEATURE` for one that is not known. */
export function mappingMode(properties: Readonly<Record<string, string>>, uri: string): MappingMode {
  const mode = properties[MODE] ?? 'none';
  if (mode === 'none' || mode === 'name' || mode === 'id') return mode;
  throw new LakeletError(
    'UNSUPPORTED_FEATURE',
    `The table ${printable(uri, 300)} maps its columns by ${printable(mode, 50)} (${MODE}), which Lakelet does not know; use the client that made the table for this`,
  );
}

/** The name that data files, partition values and statistics have for a field. Throws `LOG_CORRUPT` where it has none. */
export function physicalName(field: StructField, mode: MappingMode): string {
  if (mode === 'none') return field.name;
  const name = field.metadata['delta.columnMapping.physicalName'];
  if (typeof name === 'string' && name !== '') return name;
  throw new LakeletError(
    'LOG_CORRUPT',
    `The schema has no physical name for ${printable(field.name, 100)}, though the table maps its columns by ${mode}; restore the log's metadata from a copy`,
  );
}

/** The schema as data files have it: fields at the same places, by their physical names, down to the innermost. */
export function physicalSchema(schema: StructType, mode: MappingMode): StructType {
  return mode === 'none' ? schema : physicalStruct(schema, mode);
}

function physicalStruct(struct: StructType, mode: MappingMode): StructType {
  return {
    type: 'struct',
    fields: struct.fields.map((field) => ({
      ...field,
      name: physicalName(field, mode),
      type: physicalType(field.type, mode),
    })),
  };
}

function physicalType(type: DataType, mode: MappingMode): DataType {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return physicalStruct(type, mode);
    case 'array':
      return { ...type, elementType: physicalType(type.elementType, mode) };
    case 'map':
      return { ...type, keyType: physicalType(type.keyType, mode), valueType: physicalType(type.valueType, mode) };
  }
}

/** Each field's id in data files, by its physical name; fields inside of lists and maps are left out. */
export function fieldIds(physical: StructType): Map<string, number> {
  const ids = new Map<string, number>();
  const visit = (struct: StructType, above: readonly string[]): void => {
    for (const { name, type, metadata } of struct.fields) {
      const path = [...above, name];
      const id = metadata['delta.columnMapping.id'];
      if (typeof id !== 'number') {
        throw new LakeletError(
          'LOG_CORRUPT',
          `The schema has no id for ${shownPath(path)}, though columns are mapped by id`,
        );
      }
      ids.set(name, id);
      if (typeof type !== 'string' && type.type === 'struct') visit(type, path);
    }
  };
  visit(physical, []);
  return ids;
}
