import { z } from 'zod';
import type { DeltaTable } from '../duckdb/delta.ts';
import { LakeletError, printable } from '../errors.ts';

/** A step of a run. */
export type StepName = 'bronze' | 'silver' | 'gold';

/** Which step of which run this is, and with what parameters: the same identity has its effect once. */
export interface StepIdentity {
  readonly runId: string;
  readonly step: StepName;
  /** Where a step is done in parts: which of them. */
  readonly shard?: number;
  /** What the step's result depends on beside its input. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/** What a commit of this step noted. */
export interface Committed<Facts> {
  readonly version: number;
  readonly facts: Facts;
}

const NOTE = z.looseObject({
  runId: z.string(),
  step: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

/** The appId of Delta's `txn` action by which a step finds its own commits (PROTOCOL.md, "Transaction Identifiers"). */
export function appIdOf({ runId, step, shard }: Pick<StepIdentity, 'runId' | 'step' | 'shard'>): string {
  return `lakelet/${runId}/${step}${shard === undefined ? '' : `/${shard}`}`;
}

/** What a step's commit says of itself in Delta's commitInfo, under the field `lakelet`. */
export function commitInfoOf({ runId, step, parameters }: StepIdentity, facts: object): { lakelet: object } {
  return { lakelet: { ...facts, runId, step, parameters } };
}

/**
 * What this step has committed to a table already; undefined where it has not.
 *
 * @param facts what the step notes in its commits to this table
 * @throws LakeletError `RUN_ID_REUSED` where the same run id did it with other parameters, or so long ago that the commit
 *   is gone
 */
export async function committed<Facts>(
  table: DeltaTable,
  identity: StepIdentity,
  facts: z.ZodType<Facts>,
): Promise<Committed<Facts> | undefined> {
  const version = await table.txnVersion(appIdOf(identity));
  if (version === undefined) return undefined;
  const info = await table.commitInfo(version);
  const note = NOTE.safeParse(info?.lakelet);
  if (!note.success || note.data.runId !== identity.runId || note.data.step !== identity.step) {
    throw reused(identity, `its commit ${version} of ${printable(table.uri, 200)} can no longer be read`);
  }
  const other = differences(note.data.parameters, identity.parameters);
  if (other.length > 0) throw reused(identity, other.join(', '));
  const checked = facts.safeParse(note.data);
  if (!checked.success) {
    throw reused(
      identity,
      `what its commit ${version} of ${printable(table.uri, 200)} notes is not known to this version of Lakelet`,
    );
  }
  return { version, facts: checked.data };
}

function differences(before: StepIdentity['parameters'], now: StepIdentity['parameters']): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names
    .filter((name) => before[name] !== now[name])
    .map((name) => printable(`${name} was ${before[name] ?? 'not set'}, now ${now[name] ?? 'not set'}`, 200));
}

/** The error for a run id that stands for something else already. */
function reused({ runId, step }: Pick<StepIdentity, 'runId' | 'step'>, why: string): LakeletError {
  return new LakeletError(
    'RUN_ID_REUSED',
    `The run ${printable(runId, 100)} has done ${step} before, and not the same: ${why}. Give another run id, or the same parameters.`,
  );
}
