import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../lib/storage/index.ts';
import { Lakehouse } from '../lib/pipeline/lakehouse.ts';
import { outputOf, type Servers } from './servers.ts';

/** A lake in a folder, in which the runs of a disturbed lake are executed in peace: in the end both must hold the same. */
export class Undisturbed {
  private readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Undisturbed> {
    return new Undisturbed(await mkdtemp(join(tmpdir(), 'lakelet-undisturbed-')));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * Executes the same run here, and holds the lake on the servers to this one: the same rows in all tables, each run's
   * steps done once and accounted for alike.
   */
  async expectSame(servers: Servers, run: readonly string[]): Promise<void> {
    const settings = { MLFLOW_TRACKING_URI: '', LAKE_URI: this.folder };
    await outputOf(servers.command(['run', ...run, '--format', 'json'], settings));
    const own = new Lakehouse(openStore(this.folder));
    expect(await stateOf(servers.lake)).toEqual(await stateOf(own));
  }
}

async function stateOf(lake: Lakehouse): Promise<object> {
  const steps = await lake.query(`
    SELECT run_id, step, "table", "rows", rows_in, rows_good, rows_quarantined, rows_duplicates, rows_rejected
    FROM ops.runs WHERE status = 'succeeded' ORDER BY ALL`);
  return { contents: await lake.contents(), steps };
}
