import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives each caller a new empty folder, all of which go when the file's tests are over. */
export function temporaryFolder(): () => string {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'lakelet-pipeline-'));
  });
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });
  return () => mkdtempSync(join(root, 'lake-'));
}
