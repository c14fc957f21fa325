import { Command, InvalidArgumentError, Option } from 'commander';
import type { DeltaTable } from '../duckdb/delta.ts';
import { jsonLine } from '../duckdb/json.ts';
import { openStore } from '../storage/index.ts';
import { wholeNumber } from './arguments.ts';
import { examples, formatOption, type Outside } from './command.ts';
import { type Format, write, writeObject, writeRows } from './output.ts';
import { detailLines, fileRow, historyRow, WIDE } from './table-text.ts';
import { addWriteCommands } from './table-write-command.ts';
import type { Row } from './text-table.ts';

interface PlaceOptions {
  readonly version?: number;
  readonly timestamp?: Date;
  readonly format: Format;
}

/** `lakelet table`: looks at Delta tables, and writes them. */
export function tableCommand(outside: Outside): Command {
  const command = new Command('table').description('look at a Delta table, or write it');
  const { console } = outside;
  placed(command.command('show'))
    .description('what the table is: schema, version, files, properties')
    .addOption(formatOption('table', 'json'))
    .addHelpText(
      'after',
      examples('lakelet table show /lake/silver/purchases', 'lakelet table show /lake/t --version 3'),
    )
    .action(async (uri: string, options: PlaceOptions) => {
      const detail = await withTable(uri, options, (table) => table.detail());
      await writeObject(console, options.format, detail, () => detailLines(detail));
    });
  placed(command.command('files'))
    .description('the files that make up the table, each with its statistics')
    .addOption(formatOption('table', 'json', 'csv'))
    .option('--where <sql>', 'only the files that may hold rows for which this condition is true')
    .addHelpText(
      'after',
      examples('lakelet table files /lake/silver/purchases', 'lakelet table files /lake/t --where "year = 2024"'),
    )
    .action(async (uri: string, options: PlaceOptions & { readonly where?: string }) => {
      const { where, format } = options;
      const files = await withTable(uri, options, (table) => table.files(where === undefined ? {} : { where }));
      await writeList(console, format, files, fileRow);
    });
  command
    .command('history')
    .description('what was done to the table, newest first')
    .argument('<uri>', "the table's folder or URI")
    .option('--limit <n>', 'the newest n versions only', wholeNumber(1))
    .addOption(formatOption('table', 'json', 'csv'))
    .addHelpText('after', examples('lakelet table history /lake/silver/purchases --limit 5'))
    .action(async (uri: string, { limit, format }: { readonly limit?: number; readonly format: Format }) => {
      const entries = await withTable(uri, {}, (table) => table.history(limit === undefined ? {} : { limit }));
      await writeList(console, format, entries, historyRow);
    });
  addWriteCommands(command, outside);
  command
    .command('checkpoint')
    .description('write a checkpoint of the newest version, so that readers need not replay the log')
    .argument('<uri>', "the table's folder or URI")
    .addHelpText('after', examples('lakelet table checkpoint /lake/silver/purchases'))
    .action(async (uri: string) => {
      const made = await withTable(uri, {}, (table) => table.checkpoint());
      await write(console.out, `${jsonLine(made)}\n`);
    });
  return command;
}

/** Gives a command the table and the options that say at which of its versions. */
function placed(command: Command): Command {
  return command
    .argument('<uri>', "the table's folder or URI")
    .addOption(
      new Option('--version <n>', 'as it was at this version').argParser(wholeNumber(0)).conflicts('timestamp'),
    )
    .option('--timestamp <time>', 'as it was at this time: ISO 8601, UTC where it names no zone', timestamp);
}

/** Reads a day or a time of ISO 8601. */
export function timestamp(text: string): Date {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
    text.trim(),
  );
  const [, day, time = '00:00', zone = 'Z'] = match ?? [];
  const offset = zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2').toUpperCase();
  const moment = new Date(`${day}T${time}${offset}`);
  // 2024-02-30 would quietly become the first of March.
  const isDay = match !== null && new Date(`${day}T00:00Z`).toJSON()?.startsWith(day ?? '');
  if (isDay !== true || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('Give a time as 2024-06-30 or 2024-06-30T12:00:00Z.');
  }
  return moment;
}

async function withTable<T>(
  uri: string,
  { version, timestamp }: Partial<PlaceOptions>,
  work: (table: DeltaTable) => Promise<T>,
): Promise<T> {
  const [{ DeltaTable }, { DuckDBEngine }] = await Promise.all([
    import('../duckdb/delta.ts'),
    import('../duckdb/engine.ts'),
  ]);
  const engine = await DuckDBEngine.open();
  try {
    const table = await DeltaTable.open(openStore(uri), {
      engine,
      ...(version !== undefined && { version }),
      ...(timestamp !== undefined && { timestamp }),
    });
    return await work(table);
  } finally {
    engine.close();
  }
}

/** Writes things as one line of JSON or CSV each, or as rows that a person reads. */
async function writeList<T extends object>(
  console: Outside['console'],
  format: Format,
  things: readonly T[],
  row: (thing: T) => Row,
): Promise<void> {
  const rows = things.map(
    (thing): Row => (format === 'table' ? row(thing) : Object.fromEntries(Object.entries(thing))),
  );
  const columns = [...new Set(rows.flatMap(Object.keys))];
  await writeRows(console, format, columns, [rows], WIDE);
}
