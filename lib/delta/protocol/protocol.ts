import { LakeletError, printable } from '../../errors.ts';
import type { Protocol } from '../log/actions.ts';
import { FEATURES, type Feature, type Support, type TableFacts } from './features.ts';

/** The highest versions that are known; from reader 3 and writer 7 on, lists name the features. */
const READER_VERSION = 3;
const WRITER_VERSION = 7;

/**
 * Refuses a table that this library cannot read rightly, by the name of what is missing (PROTOCOL.md, "Requirements for
 * Readers").
 *
 * @throws LakeletError `UNSUPPORTED_FEATURE`
 */
export function checkReadable(protocol: Protocol, facts: TableFacts, uri: string): void {
  checkKnown(protocol, uri);
  for (const name of featuresToRead(protocol)) refuse(name, 'read', facts, uri);
}

/**
 * Refuses a table by what its protocol alone says, before its schema is looked at, which may hold types of a feature that
 * is not known.
 *
 * @throws LakeletError `UNSUPPORTED_FEATURE`
 */
export function checkKnown(protocol: Protocol, uri: string): void {
  if (!Number.isInteger(protocol.minReaderVersion) || protocol.minReaderVersion > READER_VERSION) {
    throw unsupported(uri, 'read', `reader version ${protocol.minReaderVersion} (up to ${READER_VERSION} is known)`);
  }
  const unknown = featuresToRead(protocol).find((name) => supportOf(name, 'read') === 'no');
  if (unknown !== undefined) throw unsupportedFeature(uri, 'read', unknown);
}

/**
 * Refuses a table that this library cannot write without breaking a promise of its, by the name of what is missing
 * (PROTOCOL.md, "Writer Version Requirements"). A table that can't be read can't be written either.
 *
 * @throws LakeletError `UNSUPPORTED_FEATURE`
 */
export function checkWritable(protocol: Protocol, facts: TableFacts, uri: string): void {
  checkReadable(protocol, facts, uri);
  if (!Number.isInteger(protocol.minWriterVersion) || protocol.minWriterVersion > WRITER_VERSION) {
    throw unsupported(uri, 'write', `writer version ${protocol.minWriterVersion} (up to ${WRITER_VERSION} is known)`);
  }
  for (const name of featuresToWrite(protocol)) refuse(name, 'write', facts, uri);
}

/** The features that the protocol lists, for DESCRIBE DETAIL. */
export function listedFeatures(protocol: Protocol): string[] {
  return [...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])])].sort();
}

function featuresToRead(protocol: Protocol): readonly string[] {
  if (protocol.minReaderVersion >= READER_VERSION) return protocol.readerFeatures ?? [];
  return implied((feature) => feature.impliedBy?.reader, protocol.minReaderVersion);
}

function featuresToWrite(protocol: Protocol): readonly string[] {
  if (protocol.minWriterVersion >= WRITER_VERSION) return protocol.writerFeatures ?? [];
  return implied((feature) => feature.impliedBy?.writer, protocol.minWriterVersion);
}

function implied(since: (feature: Feature) => number | undefined, version: number): string[] {
  return FEATURES.filter((feature) => (since(feature) ?? Number.POSITIVE_INFINITY) <= version).map(({ name }) => name);
}

function supportOf(name: string, to: 'read' | 'write'): Support {
  return FEATURES.find((known) => known.name === name)?.[to] ?? 'no';
}

function refuse(name: string, to: 'read' | 'write', facts: TableFacts, uri: string): void {
  const support = supportOf(name, to);
  const active = FEATURES.find((known) => known.name === name)?.active(facts);
  if (support === 'yes' || (support === 'inactive' && active === false)) return;
  throw unsupportedFeature(uri, to, name);
}

function unsupportedFeature(uri: string, to: 'read' | 'write', name: string): LakeletError {
  return unsupported(uri, to, `the table feature ${printable(name, 100)}`);
}

function unsupported(uri: string, to: 'read' | 'write', what: string): LakeletError {
  return new LakeletError(
    'UNSUPPORTED_FEATURE',
    `The table ${printable(uri, 300)} needs ${what}, which Lakelet can't ${to} yet; nothing was touched: use the client that made the table for this`,
  );
}
