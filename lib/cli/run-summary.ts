import { type Config, recordsUri } from '../config.ts';
import { printable } from '../errors.ts';
import { checkoutFolder } from '../files.ts';
import { count, seconds } from './figures.ts';
import { cellText, type Row, tableLines } from './text-table.ts';

/** The most characters of one text, such as why a model became champion. */
const TEXT_WIDTH = 300;

const STEPS = ['bronze', 'silver', 'gold'] as const;

/**
 * The lines that tell a person what a run did: its tables, what each step counted, and where to look. `output` is the
 * execution's output; what a step's summary holds is shown as it is, so that a step may tell more without a change here.
 *
 * @param places the lines that tell where to look
 */
export function summaryLines(output: unknown, milliseconds: number, places: readonly string[]): string[] {
  const run = fieldsOf(output);
  const tables: Row[] = [];
  const notes: string[] = [];
  for (const step of STEPS) {
    for (const [name, value] of Object.entries(fieldsOf(run[step]))) {
      if (name === 'tables' && Array.isArray(value)) tables.push(...value.map(fieldsOf));
      else if (name !== 'runId' && name !== 'step') notes.push(...noteLines(step, name, value));
    }
  }
  const columns = [...new Set(tables.flatMap((row) => Object.keys(row)))];
  return [
    `Run ${cellText(run.runId)} is done in ${seconds(milliseconds)}`,
    '',
    ...(tables.length > 0 ? [...tableLines(columns, tables), ''] : []),
    ...notes,
    ...(notes.length > 0 ? [''] : []),
    ...places,
  ];
}

/**
 * Where to look after a run in this process, and what to try next.
 *
 * @param lake what `--lake` said
 */
export function localPlaces(config: Config, lake: string | undefined): string[] {
  const { trackingUri } = config.mlflow;
  const command = checkoutFolder() === undefined ? 'lakelet' : 'npm run -s lakelet --';
  const given = lake === undefined ? '' : ` --lake ${quoted(lake)}`;
  return [
    `tables  ${printable(lake ?? config.lakeUri)}`,
    `logs    ${printable(config.logsDir)}`,
    `MLflow  ${printable(trackingUri ?? recordsUri(config))}`,
    '',
    'Try next:',
    `  ${command} query${given} "SELECT * FROM gold.purchases_by_category ORDER BY revenue DESC"`,
    `  ${command} table history ${quoted(`${lake ?? config.lakeUri}/silver/purchases`)}`,
    ...(trackingUri === undefined ? [`  ${command} mlflow ui${given}`] : []),
  ];
}

/** A word of a command line, quoted where a shell would take it apart. */
function quoted(text: string): string {
  const shown = printable(text);
  return /^[\w./:@%+=-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

function noteLines(step: string, name: string, value: unknown): string[] {
  const title = `${step} ${words(name)}`.padEnd(28);
  if (Array.isArray(value)) {
    const rows = value.map((row) => Object.fromEntries(Object.entries(fieldsOf(row)).map(rounded)));
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return columns.length === 0 ? [] : [title.trimEnd(), ...tableLines(columns, rows).map((line) => `  ${line}`)];
  }
  const fields = Object.entries(fieldsOf(value));
  if (fields.length === 0) return [`${title}  ${figure(value)}`];
  const plain = fields.filter(([, field]) => typeof field !== 'object' || field === null);
  const nested = fields.filter(([, field]) => typeof field === 'object' && field !== null);
  return [
    ...(plain.length > 0
      ? [`${title}  ${plain.map(([key, field]) => `${words(key)} ${figure(field)}`).join(', ')}`]
      : []),
    ...nested.flatMap(([key, field]) => noteLines(`${step} ${words(name)}`, key, field)),
  ];
}

function figure(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : value.toPrecision(4);
  return value === null || value === undefined ? '-' : cellText(value, TEXT_WIDTH);
}

/** A cell as a number still, which stands right in its column. */
function rounded([name, value]: readonly [string, unknown]): [string, unknown] {
  return [name, typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value];
}

/** `inTotal` as `in total`. */
function words(name: string): string {
  return printable(name, 40)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}
