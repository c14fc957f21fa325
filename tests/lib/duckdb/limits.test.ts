import { availableParallelism } from 'node:os';
import { DuckDBEngine } from '../../../lib/duckdb/engine.ts';
import { lambdaLimits } from '../../../lib/duckdb/limits.ts';

async function settings(engine: DuckDBEngine): Promise<Record<string, string>> {
  const rows = await engine.rows('SELECT name, value FROM duckdb_settings()');
  return Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]));
}

describe('an engine’s limits', () => {
  it('are DuckDB’s own outside of a Lambda', () => {
    expect(lambdaLimits({})).toEqual({});
    expect(lambdaLimits({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '' })).toEqual({});
  });

  it.each([
    ['512', 1, '256MB'],
    ['1769', 1, '884MB'],
    ['3008', 2, '1504MB'],
    ['10240', 6, '5120MB'],
  ])('fit a Lambda of %s MB', (memory, threads, memoryLimit) => {
    expect(lambdaLimits({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory })).toEqual({
      threads: Math.min(threads, availableParallelism()),
      memoryLimit,
    });
  });

  it('reach DuckDB, which writes below the temporary folder alone', async () => {
    process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE = '512';
    const home = process.env.HOME;
    delete process.env.HOME;
    const engine = await DuckDBEngine.open();
    try {
      const set = await settings(engine);
      expect(set).toMatchObject({ threads: '1', memory_limit: '244.1 MiB' });
      const folder = set.home_directory ?? '';
      expect(folder).toMatch(/lakelet-/);
      for (const name of ['temp_directory', 'secret_directory']) expect(set[name]).toContain(folder);
      expect(set.extension_directory).toContain(folder);
    } finally {
      engine.close();
      delete process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE;
      if (home !== undefined) process.env.HOME = home;
    }
  });
});
