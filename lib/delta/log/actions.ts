import { LakeletError, messageOf, printable } from '../../errors.ts';
import { isRecord } from '../schema/types.ts';

/** Where a file's deleted rows are told (PROTOCOL.md, "Deletion Vector Descriptor Schema"). */
export interface DeletionVectorDescriptor {
  readonly storageType: string;
  readonly pathOrInlineDv: string;
  readonly offset?: number;
  readonly sizeInBytes: number;
  readonly cardinality: number;
}

/** A data file of the table (PROTOCOL.md, "Add File and Remove File"). */
export interface AddFile {
  /** Relative to the table, or absolute; percent-encoded, as the log has it. */
  readonly path: string;
  /** By physical column name; null and the empty string both mean NULL. */
  readonly partitionValues: Readonly<Record<string, string | null>>;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970 (UTC). */
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** Statistics as JSON text. */
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
  readonly clusteringProvider?: string;
}

/** A data file that was taken out of the table. */
export interface RemoveFile {
  readonly path: string;
  /** Milliseconds since 1970 (UTC). */
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: Readonly<Record<string, string | null>>;
  readonly size?: number;
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string | null>>;
  readonly deletionVector?: DeletionVectorDescriptor;
  readonly baseRowId?: number;
  readonly defaultRowCommitVersion?: number;
}

/** What the table is (PROTOCOL.md, "Change Metadata"). */
export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options: Readonly<Record<string, string>> };
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  /** Milliseconds since 1970 (UTC). */
  readonly createdTime?: number;
  readonly configuration: Readonly<Record<string, string>>;
}

/** What a client must know of to read or write the table (PROTOCOL.md, "Protocol Evolution"). */
export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

/** How far an application has come (PROTOCOL.md, "Transaction Identifiers"). */
export interface Txn {
  readonly appId: string;
  readonly version: number;
  /** Milliseconds since 1970 (UTC). */
  readonly lastUpdated?: number;
}

/** Metadata of a system or user domain (PROTOCOL.md, "Domain Metadata"). */
export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

/** Who made a commit and how (PROTOCOL.md, "Commit Provenance Information"): any JSON. */
export type CommitInfo = Readonly<Record<string, unknown>>;

/** A file with more actions of a V2 checkpoint (PROTOCOL.md, "Sidecar File Information"). */
export interface Sidecar {
  readonly path: string;
}

/** One action of the log: exactly one of these is set. Actions of other names may be ignored, as the protocol says. */
export interface Action {
  readonly add?: AddFile;
  readonly remove?: RemoveFile;
  readonly metaData?: Metadata;
  readonly protocol?: Protocol;
  readonly txn?: Txn;
  readonly domainMetadata?: DomainMetadata;
  readonly commitInfo?: CommitInfo;
  readonly sidecar?: Sidecar;
}

/**
 * The actions of a commit or of a JSON checkpoint, one a line.
 *
 * @param where the file's name, for messages
 * @throws LakeletError `LOG_CORRUPT`, with file and line
 */
export function parseActions(text: string, where: string): Action[] {
  const actions: Action[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    if (line.trim() === '') continue;
    actions.push(parseAction(line, `${where}, line ${number}`));
  }
  return actions;
}

/**
 * One action from its JSON text, its fields checked as far as this library relies on them.
 *
 * @throws LakeletError `LOG_CORRUPT`
 */
export function parseAction(line: string, where: string): Action {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw corrupt(where, `it is no JSON (${printable(messageOf(error), 200)})`, error);
  }
  if (!isRecord(json)) throw corrupt(where, 'it is no JSON object');
  return checkAction(json, where);
}

/** Checks one action, given as parsed JSON. Null fields, as Parquet checkpoints have them, count as absent. */
export function checkAction(json: Record<string, unknown>, where: string): Action {
  for (const [name, value] of Object.entries(json)) {
    if (value === null || value === undefined) continue;
    const check = CHECKS.get(name);
    if (check === undefined) continue;
    if (!isRecord(value)) throw corrupt(where, `its ${name} is no object`);
    return { [name]: check(withoutNulls(value), (why) => corrupt(where, `its ${name} ${why}`)) };
  }
  return {};
}

type Fault = (why: string) => LakeletError;

const CHECKS: ReadonlyMap<string, (value: Record<string, unknown>, fault: Fault) => unknown> = new Map([
  ['add', checkAdd],
  ['remove', checkRemove],
  ['metaData', checkMetadata],
  ['protocol', checkProtocol],
  ['txn', checkTxn],
  ['domainMetadata', checkDomain],
  ['commitInfo', (value: Record<string, unknown>): CommitInfo => value],
  ['sidecar', checkSidecar],
]);

function checkAdd(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'path', 'string', fault);
  wants(value, 'size', 'number', fault);
  allows(value, 'modificationTime', 'number', fault);
  allows(value, 'stats', 'string', fault);
  checkDeletionVector(value.deletionVector, fault);
  const partitionValues = value.partitionValues ?? {};
  if (!isStringMap(partitionValues)) throw fault('has partitionValues that are not strings');
  return { modificationTime: 0, dataChange: true, ...value, partitionValues };
}

function checkRemove(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'path', 'string', fault);
  allows(value, 'deletionTimestamp', 'number', fault);
  checkDeletionVector(value.deletionVector, fault);
  if (value.partitionValues !== undefined && !isStringMap(value.partitionValues)) {
    throw fault('has partitionValues that are not strings');
  }
  return { dataChange: true, ...value };
}

function checkDeletionVector(value: unknown, fault: Fault): void {
  if (value === undefined) return;
  if (!isRecord(value)) throw fault('has a deletionVector that is no object');
  wants(value, 'storageType', 'string', fault);
  wants(value, 'pathOrInlineDv', 'string', fault);
}

function checkMetadata(value: Record<string, unknown>, fault: Fault): unknown {
  for (const name of ['schemaString', 'name', 'description']) allows(value, name, 'string', fault);
  allows(value, 'createdTime', 'number', fault);
  // Absent in the first commit of pipelines that learn their columns later.
  const schemaString = value.schemaString ?? '{"type":"struct","fields":[]}';
  const configuration = value.configuration ?? {};
  if (!isStringMap(configuration)) throw fault('has a configuration that is not made of strings');
  const partitionColumns = value.partitionColumns ?? [];
  if (!isStrings(partitionColumns)) throw fault('has partitionColumns that are no list of names');
  const format = isRecord(value.format) ? value.format : {};
  const provider = typeof format.provider === 'string' ? format.provider : 'parquet';
  if (provider !== 'parquet') throw fault(`is of the format ${printable(provider, 50)}; only parquet is known`);
  const options = isRecord(format.options) ? format.options : {};
  const id = String(value.id ?? '');
  return { ...value, id, schemaString, format: { provider, options }, configuration, partitionColumns };
}

function checkProtocol(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'minReaderVersion', 'number', fault);
  wants(value, 'minWriterVersion', 'number', fault);
  for (const name of ['readerFeatures', 'writerFeatures']) {
    if (value[name] !== undefined && !isStrings(value[name])) throw fault(`has ${name} that are no list of names`);
  }
  return value;
}

function checkTxn(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'appId', 'string', fault);
  wants(value, 'version', 'number', fault);
  return value;
}

function checkDomain(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'domain', 'string', fault);
  return { configuration: '', ...value, removed: value.removed === true };
}

function checkSidecar(value: Record<string, unknown>, fault: Fault): unknown {
  wants(value, 'path', 'string', fault);
  return value;
}

function wants(value: Record<string, unknown>, name: string, type: string, fault: Fault): void {
  if (typeof value[name] !== type) throw fault(`has no ${name} (a ${type})`);
}

function allows(value: Record<string, unknown>, name: string, type: string, fault: Fault): void {
  if (value[name] !== undefined) wants(value, name, type, fault);
}

function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}

function isStringMap(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((inner) => inner === null || typeof inner === 'string');
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((inner) => typeof inner === 'string');
}

function corrupt(where: string, why: string, cause?: unknown): LakeletError {
  return new LakeletError(
    'LOG_CORRUPT',
    `The log can't be read at ${printable(where, 300)}: ${why}; restore the file from a copy, or open an earlier version`,
    { cause },
  );
}
