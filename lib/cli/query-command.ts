import { Command, InvalidArgumentError } from 'commander';
import { literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import { openStore } from '../storage/index.ts';
import { named } from './arguments.ts';
import { examples, formatOption, lakeOf, lakeOption, type Outside } from './command.ts';
import { explain } from './explain.ts';
import { type Format, writeRows } from './output.ts';
import { replaceFile, replaceTextFile } from './result-file.ts';
import { type NamedTable, type SqlSession, withSql } from './sql-session.ts';

interface QueryOptions {
  readonly lake?: string;
  readonly table?: readonly NamedTable[];
  readonly format: Format | 'parquet';
  readonly output?: string;
  readonly explain?: boolean;
}

/** `lakelet query`: one statement that only reads, over the lake's tables and others. */
export function queryCommand(outside: Outside): Command {
  return new Command('query')
    .description('ask the lake in SQL; its tables stand as bronze.purchases, silver.purchases, …')
    .argument('<sql>', 'one statement that only reads')
    .addOption(lakeOption())
    .option<readonly NamedTable[]>(
      '--table <name=uri[@version]>',
      'add any Delta table under a name (may be given again)',
      (text, before = []) => [...before, tableOption(text)],
    )
    .addOption(formatOption('table', 'json', 'csv', 'parquet'))
    .option('--output <file>', 'write the result to a file or to s3://bucket/key (parquet needs one)')
    .option('--explain', "show DuckDB's plan, and how many files of each table can match")
    .addHelpText(
      'after',
      examples(
        'lakelet query "SELECT product_category, revenue FROM gold.purchases_by_category ORDER BY revenue DESC"',
        'lakelet query "FROM silver.purchases" --format parquet --output purchases.parquet',
        'lakelet query "SELECT count(*) FROM now JOIN before USING (purchase_id)" --table now=/lake/silver/purchases --table before=/lake/silver/purchases@0',
        'lakelet query "DESCRIBE silver.purchases"',
      ),
    )
    .action((sql: string, options: QueryOptions, command: Command) => {
      if (options.format === 'parquet' && options.output === undefined) {
        command.error("option '--format parquet' needs --output FILE", { exitCode: 2 });
      }
      if (options.explain === true && (!['table', 'json'].includes(options.format) || options.output !== undefined)) {
        command.error("option '--explain' goes with --format table or json, without --output", { exitCode: 2 });
      }
      return query(sql, options, outside);
    });
}

/** Reads `NAME=URI[@VERSION]`; NAME is a table's, or a schema's and a table's with a point between. */
export function tableOption(text: string): NamedTable {
  const { name, value } = named(text);
  const parts = name.split('.');
  if (parts.length > 2 || parts.includes('')) throw new InvalidArgumentError('NAME is a table, or schema.table.');
  const [, uri = value, version] = /^(.+)@(\d{1,15})$/.exec(value) ?? [];
  return { name: parts, store: openStore(uri), ...(version !== undefined && { version: Number(version) }) };
}

async function query(sql: string, options: QueryOptions, outside: Outside): Promise<void> {
  const { signal } = outside;
  await withSql(lakeOf(outside, options.lake), options.table ?? [], async (session) => {
    const interrupt = (): void => session.engine.connection.interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      signal.throwIfAborted();
      const attached = await session.attach(sql, signal);
      if (options.explain === true) {
        await explain(session.engine, sql, attached, outside.console, options.format === 'json' ? 'json' : 'table');
      } else await writeResult(session, sql, options, outside);
    } catch (error) {
      if (signal.aborted)
        throw new LakeletError('INTERRUPTED', 'The query was stopped before its end', { cause: error });
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupt);
    }
  });
}

async function writeResult(
  { engine }: SqlSession,
  sql: string,
  { format, output }: QueryOptions,
  { console, signal }: Outside,
): Promise<void> {
  if (format === 'parquet') {
    return replaceFile(output ?? '', (file) => engine.run(copyStatement(sql, file)));
  }
  const { columns, batches } = await engine.query(sql, { signal });
  const names = columns.map(({ name }) => name);
  if (output === undefined) return writeRows(console, format, names, batches);
  await replaceTextFile(output, (out) => writeRows({ ...console, out }, format, names, batches));
}

/** The statement that writes a query's result to a Parquet file. */
function copyStatement(sql: string, file: string): string {
  return `COPY (FROM query(${literal(sql)})) TO ${literal(file)} (FORMAT parquet)`;
}
