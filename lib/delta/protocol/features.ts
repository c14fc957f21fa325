import type { Metadata } from '../log/actions.ts';
import { decimalOf, type StructType, someField, someType } from '../schema/types.ts';

/** What a table says of itself, as far as its features go. */
export interface TableFacts {
  readonly metadata: Metadata;
  readonly schema: StructType;
}

/**
 * One feature of the protocol, as data (PROTOCOL.md, "Valid Feature Names in Table Features").
 *
 * Support is told for two cases: `yes`, or `inactive`: only while the table does not make use of the feature, though its
 * protocol lists it or implies it. `no` refuses a table that lists it by name.
 */
export interface Feature {
  readonly name: string;
  /** The least reader and writer versions that imply it; absent where only a list of features can name it. */
  readonly impliedBy?: { readonly reader?: number; readonly writer?: number };
  readonly read: Support;
  readonly write: Support;
  /** True where the table makes use of it. */
  readonly active: (facts: TableFacts) => boolean;
}

/** Whether this library can serve a table with the feature. */
export type Support = 'yes' | 'inactive' | 'no';

const enabled =
  (property: string) =>
  ({ metadata }: TableFacts): boolean =>
    metadata.configuration[property]?.toLowerCase() === 'true';

const fieldHas =
  (prefix: string) =>
  ({ schema }: TableFacts): boolean =>
    someField(schema, (field) => Object.keys(field.metadata).some((key) => key.startsWith(prefix)));

/** The features that are known. One that is not here is refused by name where it must be understood. */
export const FEATURES: readonly Feature[] = [
  {
    name: 'appendOnly',
    impliedBy: { writer: 2 },
    read: 'yes',
    write: 'yes',
    active: enabled('delta.appendOnly'),
  },
  {
    name: 'invariants',
    impliedBy: { writer: 2 },
    read: 'yes',
    write: 'inactive',
    active: fieldHas('delta.invariants'),
  },
  {
    name: 'checkConstraints',
    impliedBy: { writer: 3 },
    read: 'yes',
    write: 'inactive',
    active: ({ metadata }) => Object.keys(metadata.configuration).some((key) => key.startsWith('delta.constraints.')),
  },
  {
    name: 'changeDataFeed',
    impliedBy: { writer: 4 },
    read: 'yes',
    write: 'inactive',
    active: enabled('delta.enableChangeDataFeed'),
  },
  {
    name: 'generatedColumns',
    impliedBy: { writer: 4 },
    read: 'yes',
    write: 'inactive',
    active: fieldHas('delta.generationExpression'),
  },
  {
    name: 'columnMapping',
    impliedBy: { reader: 2, writer: 5 },
    read: 'yes',
    write: 'inactive',
    active: ({ metadata }) => !['none', undefined].includes(metadata.configuration['delta.columnMapping.mode']),
  },
  {
    name: 'identityColumns',
    impliedBy: { writer: 6 },
    read: 'yes',
    write: 'inactive',
    active: fieldHas('delta.identity.'),
  },
  { name: 'allowColumnDefaults', read: 'yes', write: 'inactive', active: fieldHas('CURRENT_DEFAULT') },
  {
    name: 'timestampNtz',
    read: 'yes',
    write: 'yes',
    active: ({ schema }) => someType(schema, (type) => type === 'timestamp_ntz'),
  },
  { name: 'v2Checkpoint', read: 'yes', write: 'yes', active: () => true },
  { name: 'deletionVectors', read: 'yes', write: 'inactive', active: enabled('delta.enableDeletionVectors') },
  { name: 'vacuumProtocolCheck', read: 'yes', write: 'yes', active: () => true },
  { name: 'domainMetadata', read: 'yes', write: 'yes', active: () => true },
  { name: 'rowTracking', read: 'yes', write: 'no', active: () => true },
  { name: 'clustering', read: 'yes', write: 'no', active: () => true },
  { name: 'inCommitTimestamp', read: 'yes', write: 'inactive', active: enabled('delta.enableInCommitTimestamps') },
  { name: 'icebergCompatV1', read: 'yes', write: 'inactive', active: enabled('delta.enableIcebergCompatV1') },
  { name: 'icebergCompatV2', read: 'yes', write: 'inactive', active: enabled('delta.enableIcebergCompatV2') },
];

/** True where a schema holds a type that needs reader version 3 with `timestampNtz`. */
export function needsTimestampNtz(schema: StructType): boolean {
  return someType(schema, (type) => type === 'timestamp_ntz');
}

/** True for a type whose values can't tell one partition from another by a string. */
export function canPartitionBy(type: unknown): boolean {
  return typeof type === 'string' && (type !== 'void' || decimalOf(type) !== undefined);
}
