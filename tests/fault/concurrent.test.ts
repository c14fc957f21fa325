import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeltaTable } from '../../lib/duckdb/delta.ts';
import { appendRace } from './append-race.ts';

const WRITERS = 8;
const COMMITS = 50;

describe('processes that append to one folder table at once', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-race-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(`make ${WRITERS * COMMITS} contiguous versions, and every row is there once`, async () => {
    const made = await appendRace(folder, WRITERS, COMMITS);
    const all = Array.from({ length: WRITERS * COMMITS }, (_, i) => i + 1);
    expect(made.flat().sort((a, b) => a - b)).toEqual(all);
    for (const versions of made) expect(versions).toEqual(versions.toSorted((a, b) => a - b));

    const names = await readdir(join(folder, '_delta_log'));
    const commits = names.filter((name) => /^\d{20}\.json$/.test(name)).map((name) => Number(name.slice(0, 20)));
    expect(commits.sort((a, b) => a - b)).toEqual([0, ...all]);

    const table = await DeltaTable.open(folder);
    expect(table.version).toBe(WRITERS * COMMITS);
    const rows: string[] = [];
    for await (const batch of table.scan()) rows.push(...batch.map(({ writer, n }) => `${writer}/${n}`));
    const expected = made.flatMap((_, writer) => Array.from({ length: COMMITS }, (_, n) => `${writer}/${n}`));
    expect(rows.sort()).toEqual(expected.sort());
  }, 120_000);
});
