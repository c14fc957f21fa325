import { z } from 'zod';
import type { DeltaTable } from '../duckdb/delta.ts';
import { LakeletError, printable } from '../errors.ts';
import type { Context } from './context.ts';
import { appIdOf, commitInfoOf, committed, type StepIdentity } from './identity.ts';

/**
 * Replaces a table's rows by those of a SELECT, in one commit that carries the step's identity. The commit fails, and the
 * step is tried again, where another one came between the version at which `table` was loaded and this one: a step that
 * loads its targets before it looks at its input can so never replace the result of a newer input by that of an older.
 *
 * `table` then stands at the new version, or at that of another process which did the same step in the same moment.
 *
 * @param facts what the commit notes beside the identity
 * @throws LakeletError `CONCURRENT_TRANSACTION`, retryable, where that other process noted other facts; what the table throws
 */
export async function publish(
  { signal }: Context,
  table: DeltaTable,
  sql: string,
  identity: StepIdentity,
  facts: object,
): Promise<void> {
  const appId = appIdOf(identity);
  // A step that was stopped between its tables, and finds a newer input when it comes again, replaces its own result.
  const again = (await table.txnVersion(appId)) !== undefined;
  const { alreadyCommitted } = await table.overwrite(
    { sql },
    {
      txn: { appId, ...(again && { version: table.version + 1 }) },
      commitInfo: commitInfoOf(identity, facts),
      ...(signal !== undefined && { signal }),
    },
  );
  if (alreadyCommitted !== true) return;
  await table.refresh();
  const other = await committed(table, identity, z.looseObject({}));
  if (JSON.stringify({ ...other?.facts, ...facts }) === JSON.stringify({ ...other?.facts })) return;
  throw new LakeletError(
    'CONCURRENT_TRANSACTION',
    `Another process does the same step of run ${printable(identity.runId, 100)} in this moment, and made ${printable(table.uri, 300)} from another version of its input: try again`,
    { retryable: true },
  );
}
