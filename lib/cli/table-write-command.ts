import type { Command } from 'commander';
import type { DeltaTable, WriteResult } from '../duckdb/delta.ts';
import { jsonLine } from '../duckdb/json.ts';
import { fileLiteral, literal } from '../duckdb/names.ts';
import { LakeletError } from '../errors.ts';
import { openStore } from '../storage/index.ts';
import { commaSeparated, named } from './arguments.ts';
import { examples, lakeOf, lakeOption, type Outside } from './command.ts';
import { write } from './output.ts';
import { type Source, sourceOf } from './source.ts';
import { type SqlSession, withSql } from './sql-session.ts';

interface WriteCommandOptions {
  readonly source: string;
  readonly lake?: string;
}

interface CreateOptions extends WriteCommandOptions {
  readonly partitionBy?: readonly string[];
  readonly property?: Readonly<Record<string, string>>;
}

/** Adds `create`, `append` and `overwrite`; each prints the version it made and the operation's metrics as JSON. */
export function addWriteCommands(command: Command, outside: Outside): void {
  sourced(command.command('create'))
    .description('make a table from a file or from SQL')
    .option('--partition-by <a,b>', 'the columns that part the files', commaSeparated)
    .option<Record<string, string>>(
      '--property <k=v>',
      'set a table property (may be given again)',
      (text, before = {}) => {
        const { name, value } = named(text);
        return { ...before, [name]: value };
      },
    )
    .addHelpText(
      'after',
      examples(
        'lakelet table create /lake/prices --source prices.csv',
        'lakelet table create /lake/by_day --source "SELECT * FROM silver.purchases" --partition-by purchase_date',
      ),
    )
    .action((uri: string, options: CreateOptions) => writing(outside, options, (to) => create(uri, options, to)));
  sourced(command.command('append'))
    .description('add the rows of a file or of SQL')
    .addHelpText('after', examples('lakelet table append /lake/prices --source more.parquet'))
    .action((uri: string, options: WriteCommandOptions) =>
      writing(outside, options, async (to) => (await opened(uri, to)).append(to.source, { signal: to.signal })),
    );
  sourced(command.command('overwrite'))
    .description('put the rows of a file or of SQL in the place of all rows')
    .addHelpText('after', examples('lakelet table overwrite /lake/prices --source "FROM bronze.prices"'))
    .action((uri: string, options: WriteCommandOptions) =>
      writing(outside, options, async (to) => (await opened(uri, to)).overwrite(to.source, { signal: to.signal })),
    );
}

function sourced(command: Command): Command {
  return command
    .argument('<uri>', "the table's folder or URI")
    .requiredOption('--source <file|sql>', 'a Parquet, CSV or JSON file, or SQL over the lake')
    .addOption(lakeOption());
}

/** What a write has at hand. */
interface Writing extends SqlSession {
  /** The statement that reads the source. */
  readonly select: string;
  readonly source: Source;
  readonly signal: AbortSignal;
}

async function writing(
  outside: Outside,
  options: WriteCommandOptions,
  work: (to: Writing) => Promise<WriteResult>,
): Promise<void> {
  const { signal } = outside;
  const source = await sourceOf(options.source);
  const { version, metrics } = await withSql(lakeOf(outside, options.lake), [], async (session) => {
    const select = 'sql' in source ? source.sql : `FROM read_parquet(${fileLiteral(source.parquet)})`;
    await session.attach(select, signal);
    // A comment or a semicolon at the statement's end must not reach what is put around it.
    const closed = 'sql' in source ? { sql: `FROM query(${literal(select)})` } : source;
    return work({ ...session, select, source: closed, signal });
  });
  await write(outside.console.out, `${jsonLine({ version, metrics })}\n`);
}

async function opened(uri: string, { engine }: Writing): Promise<DeltaTable> {
  const { DeltaTable } = await import('../duckdb/delta.ts');
  return DeltaTable.open(openStore(uri), { engine });
}

async function create(
  uri: string,
  options: CreateOptions,
  { engine, select, source, signal }: Writing,
): Promise<WriteResult> {
  const { DeltaTable } = await import('../duckdb/delta.ts');
  const { selectSchema } = await import('./select-schema.ts');
  const table = await DeltaTable.create(openStore(uri), {
    schema: await selectSchema(engine.connection, select),
    engine,
    properties: { ...options.property },
    ...(options.partitionBy !== undefined && { partitionBy: [...options.partitionBy] }),
  });
  try {
    return await table.append(source, { signal });
  } catch (error) {
    if (!(error instanceof LakeletError)) throw error;
    const { code, message, retryable } = error;
    const next = 'the table is made and still empty, so go on with lakelet table append';
    throw new LakeletError(code, `${message}; ${next}`, { retryable, cause: error });
  }
}
