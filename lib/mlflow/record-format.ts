import { z } from 'zod';
import type { TrainingRecord } from './training.ts';

/** The hash (SHA-256) by which bytes are kept beside the records. */
const HASH = z.string().regex(/^[0-9a-f]{64}$/);
/** A number, also those that JSON lacks. */
const NUMBER = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);
const VALUES = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const METRICS = z.record(z.string(), NUMBER);

/**
 * A training as it is kept in JSON, with hashes where bytes belong. Format 2 added what format 1 lacks: curves, artifacts,
 * the predicate, the model's own predictions for the held-out rows.
 */
export const STORED = z.object({
  format: z.union([z.literal(1), z.literal(2)]),
  experimentName: z.string(),
  training: z.object({
    runId: z.string(),
    startedAt: z.number(),
    endedAt: z.number(),
    params: VALUES,
    metrics: METRICS,
    curves: z.array(z.object({ name: z.string(), values: z.array(NUMBER) })).exactOptional(),
    tags: z.record(z.string(), z.string()),
    dataset: z.object({
      name: z.string(),
      uri: z.string(),
      version: z.number(),
      predicate: z.string().exactOptional(),
      columns: z.array(z.object({ name: z.string(), type: z.string(), nullable: z.boolean() })),
      profile: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
    model: z.object({
      name: z.string(),
      onnx: HASH,
      features: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(['numeric', 'categorical']),
          categories: z.array(z.string()).exactOptional(),
        }),
      ),
      inputExample: z.array(z.array(NUMBER)),
      importances: z.array(z.object({ name: z.string(), importance: NUMBER })).exactOptional(),
    }),
    heldOut: z.object({
      id: z.string(),
      rows: z.number(),
      features: HASH.exactOptional(),
      target: HASH.exactOptional(),
      predicted: HASH.exactOptional(),
    }),
    children: z.array(z.object({ name: z.string(), params: VALUES, metrics: METRICS })),
    artifacts: z.array(z.object({ path: z.string(), body: HASH })).exactOptional(),
  }),
});

/** {@link STORED}, read. */
export type StoredRecord = z.output<typeof STORED>;

/** Keeps bytes, and says the hash by which they are found again. */
export type KeepBytes = (bytes: Uint8Array) => Promise<string>;

/** Gives the bytes of a hash. */
export type BytesOfHash = (hash: string) => Promise<Uint8Array>;

/** The training as it is written, once its bytes are kept. */
export async function toStored(
  experimentName: string,
  training: TrainingRecord,
  keep: KeepBytes,
): Promise<z.input<typeof STORED>> {
  const { curves, dataset, model, heldOut, children = [], artifacts } = training;
  const keepNumbers = async (numbers: Float32Array | Float64Array | undefined): Promise<string | undefined> =>
    numbers === undefined ? undefined : keep(bytesOf(numbers));
  const [onnx, features, target, predicted, files] = await Promise.all([
    keep(model.onnx),
    keepNumbers(heldOut.features),
    keepNumbers(heldOut.target),
    keepNumbers(heldOut.predicted),
    artifacts && Promise.all(artifacts.map(async ({ path, body }) => ({ path, body: await keep(body) }))),
  ]);
  return {
    format: 2,
    experimentName,
    training: {
      runId: training.runId,
      startedAt: training.startedAt,
      endedAt: training.endedAt,
      params: { ...training.params },
      metrics: storedMetrics(training.metrics),
      ...(curves && { curves: curves.map(({ name, values }) => ({ name, values: values.map(storedNumber) })) }),
      tags: { ...training.tags },
      dataset: { ...dataset, columns: [...dataset.columns], profile: { ...dataset.profile } },
      model: {
        name: model.name,
        onnx,
        features: model.features.map(({ categories, ...rest }) => ({
          ...rest,
          ...(categories && { categories: [...categories] }),
        })),
        inputExample: model.inputExample.map((row) => row.map(storedNumber)),
        ...(model.importances && {
          importances: model.importances.map(({ name, importance }) => ({
            name,
            importance: storedNumber(importance),
          })),
        }),
      },
      heldOut: {
        id: heldOut.id,
        rows: heldOut.rows,
        ...(features !== undefined && { features }),
        ...(target !== undefined && { target }),
        ...(predicted !== undefined && { predicted }),
      },
      children: children.map((child) => ({
        ...child,
        params: { ...child.params },
        metrics: storedMetrics(child.metrics),
      })),
      ...(files && { artifacts: files }),
    },
  };
}

/** The training that was written, its bytes fetched. */
export async function fromStored({ training }: StoredRecord, bytes: BytesOfHash): Promise<TrainingRecord> {
  const { artifacts, ...rest } = training;
  const { model, heldOut } = training;
  const numbers = async (hash: string | undefined): Promise<ArrayBuffer | undefined> =>
    hash === undefined ? undefined : aligned(await bytes(hash));
  const [onnx, features, target, predicted, files] = await Promise.all([
    bytes(model.onnx),
    numbers(heldOut.features),
    numbers(heldOut.target),
    numbers(heldOut.predicted),
    artifacts && Promise.all(artifacts.map(async ({ path, body }) => ({ path, body: await bytes(body) }))),
  ]);
  return {
    ...rest,
    model: { ...model, onnx },
    heldOut: {
      id: heldOut.id,
      rows: heldOut.rows,
      ...(features && { features: new Float32Array(features) }),
      ...(target && { target: new Float64Array(target) }),
      ...(predicted && { predicted: new Float64Array(predicted) }),
    },
    ...(files && { artifacts: files }),
  };
}

function storedNumber(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function storedMetrics(numbers: Readonly<Record<string, number>>): Record<string, ReturnType<typeof storedNumber>> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, storedNumber(value)]));
}

/** Little-endian, as every platform that Node.js runs on has it. */
function bytesOf(array: Float32Array | Float64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A copy that a typed array can stand on. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
