import { LakeletError, messageOf, printable } from '../../errors.ts';

/**
 * A column's type in Delta's own JSON form (PROTOCOL.md, "Schema Serialization Format"): the name of a primitive type
 * (`string`, `long`, `integer`, `short`, `byte`, `float`, `double`, `decimal(p,s)`, `boolean`, `binary`, `date`,
 * `timestamp`, `timestamp_ntz`, `void`, …), or a nested type.
 */
export type DataType = string | StructType | ArrayType | MapType;

/** A struct; the schema of a table is one. */
export interface StructType {
  readonly type: 'struct';
  readonly fields: readonly StructField[];
}

/** A field of a struct: of the table's own struct, a column. */
export interface StructField {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A list. */
export interface ArrayType {
  readonly type: 'array';
  readonly elementType: DataType;
  readonly containsNull: boolean;
}

/** A map; keys are never null. */
export interface MapType {
  readonly type: 'map';
  readonly keyType: DataType;
  readonly valueType: DataType;
  readonly valueContainsNull: boolean;
}

const PRIMITIVES = new Set([
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'float',
  'double',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
  'void',
]);

/** The width and scale of `decimal(p,s)`, or undefined for another type. */
export function decimalOf(type: DataType): { readonly precision: number; readonly scale: number } | undefined {
  const match = typeof type === 'string' ? /^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$/.exec(type) : null;
  if (match === null) return undefined;
  return { precision: Number(match[1]), scale: Number(match[2]) };
}

/** True for a type that this library can read and write. */
function isKnownPrimitive(type: string): boolean {
  if (PRIMITIVES.has(type)) return true;
  const decimal = decimalOf(type);
  return (
    decimal !== undefined &&
    decimal.precision >= 1 &&
    decimal.precision <= 38 &&
    decimal.scale >= 0 &&
    decimal.scale <= decimal.precision
  );
}

/**
 * A schema from its JSON text (`metaData.schemaString`), checked down to every field.
 *
 * @throws LakeletError `SCHEMA_INVALID`, `UNSUPPORTED_TYPE`, each naming the field
 */
export function parseSchema(text: string): StructType {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new LakeletError('SCHEMA_INVALID', `The schema is no JSON: ${printable(messageOf(error), 200)}`, {
      cause: error,
    });
  }
  return checkSchema(json);
}

/**
 * A schema that came from outside, checked down to every field.
 *
 * @throws LakeletError `SCHEMA_INVALID`, `UNSUPPORTED_TYPE`, each naming the field
 */
export function checkSchema(json: unknown): StructType {
  const type = checkType(json, []);
  if (typeof type === 'string' || type.type !== 'struct') {
    throw new LakeletError('SCHEMA_INVALID', 'The schema is no struct: give {"type": "struct", "fields": […]}');
  }
  return type;
}

function checkType(json: unknown, path: readonly string[]): DataType {
  if (typeof json === 'string') {
    if (isKnownPrimitive(json)) return json;
    throw new LakeletError(
      'UNSUPPORTED_TYPE',
      `Column ${shownPath(path)} is of type ${printable(json, 100)}, which Lakelet can neither read nor write`,
    );
  }
  if (!isRecord(json)) return invalid(path, 'its type is neither a name nor an object');
  switch (json.type) {
    case 'struct':
      return { type: 'struct', fields: checkFields(json.fields, path) };
    case 'array':
      return {
        type: 'array',
        elementType: checkType(json.elementType, [...path, 'element']),
        containsNull: json.containsNull !== false,
      };
    case 'map':
      return {
        type: 'map',
        keyType: checkType(json.keyType, [...path, 'key']),
        valueType: checkType(json.valueType, [...path, 'value']),
        valueContainsNull: json.valueContainsNull !== false,
      };
    default:
      throw new LakeletError(
        'UNSUPPORTED_TYPE',
        `Column ${shownPath(path)} is of type ${printable(String(json.type), 100)}, which Lakelet can neither read nor write`,
      );
  }
}

function checkFields(json: unknown, path: readonly string[]): StructField[] {
  if (!Array.isArray(json)) return invalid(path, 'its struct has no list of fields');
  const seen = new Set<string>();
  return json.map((field: unknown) => {
    if (!isRecord(field) || typeof field.name !== 'string') return invalid(path, 'one of its fields has no name');
    const here = [...path, field.name];
    if (field.name === '') return invalid(path, 'one of its fields has an empty name');
    // Columns are found whatever their case, so two that differ in case alone are one (PROTOCOL.md, "Struct Type").
    if (seen.has(field.name.toLowerCase())) return invalid(here, 'its name is there twice (case does not count)');
    seen.add(field.name.toLowerCase());
    // DuckDB's client assigns a struct's fields to an object, of which this one would change the prototype.
    if (path.length > 0 && field.name === '__proto__') {
      throw new LakeletError(
        'UNSUPPORTED_TYPE',
        `Column ${shownPath(here)} has a name that Lakelet can't read in a struct`,
      );
    }
    return {
      name: field.name,
      type: checkType(field.type, here),
      nullable: field.nullable !== false,
      metadata: isRecord(field.metadata) ? field.metadata : {},
    };
  });
}

function invalid(path: readonly string[], why: string): never {
  throw new LakeletError('SCHEMA_INVALID', `The schema is not valid at ${shownPath(path)}: ${why}`);
}

/** A column's path as messages show it. */
export function shownPath(path: readonly string[]): string {
  return path.length === 0 ? 'its top' : printable(path.join('.'), 200);
}

/** The field that a name means: its exact spelling first, then without regard to case. */
export function findField(struct: StructType, name: string): StructField | undefined {
  const lower = name.toLowerCase();
  return (
    struct.fields.find((field) => field.name === name) ??
    struct.fields.find((field) => field.name.toLowerCase() === lower)
  );
}

/** True where `test` holds for the type or one that is nested in it. */
export function someType(type: DataType, test: (type: DataType) => boolean): boolean {
  if (test(type)) return true;
  if (typeof type === 'string') return false;
  switch (type.type) {
    case 'struct':
      return type.fields.some((field) => someType(field.type, test));
    case 'array':
      return someType(type.elementType, test);
    case 'map':
      return someType(type.keyType, test) || someType(type.valueType, test);
  }
}

/** True where `test` holds for a field of the struct or of one that is nested in it. */
export function someField(type: DataType, test: (field: StructField) => boolean): boolean {
  return someType(
    type,
    (inner) => typeof inner !== 'string' && inner.type === 'struct' && inner.fields.some((field) => test(field)),
  );
}

/** True for a plain JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
