import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { SPLITS } from './held-out.ts';

/**
 * A run's id: it becomes part of identities in Delta's log and of file names, so it is kept to letters, digits and
 * `_ . : -`, 100 at most; `.` and `..` would be folders, and are taken out of a URL's path.
 */
const runId = z
  .string()
  .regex(/^(?!\.\.?$)[\w.:-]{1,100}$/, 'a run id has 1 to 100 letters, digits, or any of _ . : -, and is not . or ..')
  .default(() => randomUUID());

/** The most parts of a delivery: as many as `States.ArrayRange` lists on AWS. */
export const MOST_SHARDS = 1000;

/** How the model's trees come to be; the first is the default. */
export const ALGORITHMS = ['forest', 'boosting'] as const;

/** What every step's event may hold: the state machine hands the same event to all of them. */
const shared = {
  runId,
  /** Records that the source delivers. */
  rows: z.int().min(1).max(1_000_000_000).default(100_000),
  /** What the records, and the model's draws, are made from. */
  seed: z.int().min(0).default(42),
  /** In how many parts bronze lands the records. */
  shards: z.int().min(1).max(MOST_SHARDS).default(1),
  /** What the model is: a random forest, or boosted trees. */
  algorithm: z.enum(ALGORITHMS).default('forest'),
  /** Trees of the forest, or rounds of boosting. */
  trees: z.int().min(1).max(10_000).default(100),
  /** Splits between a tree's root and a leaf, at most. */
  maxDepth: z.int().min(1).max(1000).default(10),
  /** Which rows the model is scored on: see `heldOutRule`. */
  split: z.enum(SPLITS).default('random'),
  /** Whether ml-random-forest is trained on a small sample too. */
  baseline: z.boolean().default(false),
};

/** Bronze's event. `shard`, 0 … shards − 1, lands one part alone; without it all land that have not landed yet. */
export const bronzeEvent = z
  .strictObject({ ...shared, shard: z.int().min(0).exactOptional() })
  .refine(({ shard, shards }) => shard === undefined || shard < shards, {
    path: ['shard'],
    message: 'a shard is a number from 0 to shards − 1',
  });

/** Silver's event. */
export const silverEvent = z.strictObject(shared);

/** Gold's event. */
export const goldEvent = z.strictObject(shared);

/** What the state machine tells of a step that failed for good; its run id may be what the step refused. */
export const failureEvent = z.strictObject({
  runId: z
    .unknown()
    .transform((runId) => (typeof runId === 'string' ? runId : String(JSON.stringify(runId))).slice(0, 1000)),
  step: z.enum(['bronze', 'silver', 'gold']),
  /** The error's name, for example `Lakelet.STORE_FULL`. */
  error: z.string(),
  /** What Lambda tells of it: JSON text with errorType and errorMessage, or plain text. */
  cause: z.string(),
});

/** A {@link bronzeEvent}, its defaults filled in. */
export type BronzeEvent = z.output<typeof bronzeEvent>;

/** A {@link silverEvent}, its defaults filled in. */
export type SilverEvent = z.output<typeof silverEvent>;

/** A {@link goldEvent}, its defaults filled in. */
export type GoldEvent = z.output<typeof goldEvent>;

/** A {@link failureEvent}. */
export type FailureEvent = z.output<typeof failureEvent>;
