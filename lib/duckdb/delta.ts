// Says to a project without @types/node what Symbol.dispose is.
/// <reference lib="esnext.disposable" preserve="true" />
import { checkOptions } from '../delta/options.ts';
import { isRecord } from '../delta/schema/types.ts';
import { type OpenOptions, DeltaTable as Table } from '../delta/table.ts';
import type { CreateOptions } from '../delta/write/create.ts';
import { LakeletError, printable } from '../errors.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';
import { DuckDBEngine } from './engine.ts';

export type { Row, Source } from '../delta/engine.ts';
export type { HistoryEntry } from '../delta/log/history.ts';
export type { ArrayType, DataType, MapType, StructField, StructType } from '../delta/schema/types.ts';
export type {
  Detail,
  OpenOptions,
  ScanOptions,
  TableFile,
  WriteMetrics,
  WriteOptions,
  WriteResult,
} from '../delta/table.ts';
export type { CreateOptions } from '../delta/write/create.ts';
export { LakeletError } from '../errors.ts';
export { type ObjectStore, openStore } from '../storage/index.ts';
export { DuckDBEngine, type EngineOptions } from './engine.ts';

/** A Delta table at one version; see {@link DeltaTable}. */
export type DeltaTable = Table;

/** Which DuckDB reads and writes the files; one that the process shares where none is given. */
export interface EngineOption {
  readonly engine?: DuckDBEngine;
}

let shared: Promise<DuckDBEngine> | undefined;

function engineOf(options: EngineOption): Promise<DuckDBEngine> | DuckDBEngine {
  checkOptions(options);
  if (options.engine !== undefined) return options.engine;
  if (shared === undefined) {
    shared = DuckDBEngine.open();
    shared.catch(() => {
      shared = undefined;
    });
  }
  return shared;
}

function storeOf(place: string | ObjectStore): ObjectStore {
  if (typeof place === 'string') return openStore(place);
  if (isRecord(place) && typeof place.get === 'function') return place;
  throw new LakeletError(
    'INVALID_URI',
    `${printable(String(place), 100)} is no place of a table; give a folder or a store`,
  );
}

/** Opens and creates Delta tables by their place: a folder, `file://…`, `memory://NAME`, or a store. */
export const DeltaTable = {
  /** The table at a version or an instant, the newest where neither is given; see {@link Table.open}. */
  async open(place: string | ObjectStore, options: OpenOptions & EngineOption = {}): Promise<DeltaTable> {
    return Table.open(storeOf(place), await engineOf(options), options);
  },

  /** A new, empty table; see {@link Table.create}. */
  async create(place: string | ObjectStore, options: CreateOptions & EngineOption): Promise<DeltaTable> {
    return Table.create(storeOf(place), await engineOf(options), options);
  },

  /** True where there is a table. */
  async exists(place: string | ObjectStore): Promise<boolean> {
    return Table.exists(storeOf(place));
  },
};
