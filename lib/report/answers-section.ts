import { bars } from './bars.ts';
import { type Chart, figure } from './chart.ts';
import { amount, compact, count, percent, rows as rowsOf, words } from './figures.ts';
import { type Html, html } from './html.ts';
import type { Answer, ChartData, Point } from './input.ts';
import { timeLine } from './lines.ts';

/** The most bars of a chart; what is left over becomes one more. */
const MOST_BARS = 20;

/** The most points of a line. */
export const MOST_POINTS = 120;

/** The most rows of a table. */
const MOST_ROWS = 50;

/** What gold answers: a chart for each question, and the tables' own figures. */
export function answersSection(answers: readonly Answer[]): Html {
  return html`<section><h2>What gold answers</h2><div class="grid">
${answers.flatMap(({ charts }) => charts.map((chart) => figure(answerChart(chart))))}</div>
${answers.map(tableOf)}</section>\n`;
}

function answerChart(data: ChartData): Chart {
  const label = `${words(data.measure)}${data.unit === undefined ? '' : ` (${data.unit})`}`;
  return data.kind === 'line' ? lineChart(data, label) : barChart(data, label);
}

function barChart(data: ChartData, label: string): Chart {
  const { title, points, groups, total, order = 'value' } = data;
  const greatest = points.toSorted((a, b) => b.value - a.value).slice(0, MOST_BARS);
  const [first] = greatest;
  const left = groups - greatest.length;
  const others = { name: `${count(left)} others`, value: total - greatest.reduce((sum, { value }) => sum + value, 0) };
  const lead =
    first === undefined
      ? 'There is nothing to show.'
      : `${first.label} is the greatest with ${amount(first.value)}${total > 0 ? `, ${percent(first.value / total)} of all` : ''}.`;
  return {
    title,
    caption: `${lead}${left > 0 ? ` The ${greatest.length} greatest of ${count(groups)} are shown, the others as one bar.` : ''}`,
    drawing: bars(
      [...inOrder(greatest, order).map(({ label: name, value }) => ({ name, value })), ...(left > 0 ? [others] : [])],
      { label, format: compact },
    ),
  };
}

function inOrder(points: readonly Point[], order: 'value' | 'name' | readonly string[]): readonly Point[] {
  if (order === 'value') return points;
  const place = ({ label }: Point): number => {
    const at = order === 'name' ? 0 : order.indexOf(label);
    return at < 0 ? Infinity : at;
  };
  return points.toSorted((a, b) => place(a) - place(b) || (a.label < b.label ? -1 : 1));
}

function lineChart({ title, points, groups, total }: ChartData, label: string): Chart {
  const latest = points.slice(-MOST_POINTS);
  const [first] = latest;
  if (first === undefined) return { title, caption: 'There is nothing to show.', drawing: timeLine([], label) };
  const high = latest.reduce((a, b) => (b.value > a.value ? b : a), first);
  const low = latest.reduce((a, b) => (b.value < a.value ? b : a), first);
  const left = groups - latest.length;
  return {
    title,
    caption: `Highest in ${high.label} (${amount(high.value)}), lowest in ${low.label} (${amount(low.value)}); ${amount(total)} in all.${left > 0 ? ` The latest ${latest.length} of ${count(groups)} are shown.` : ''}`,
    drawing: timeLine(latest, label),
  };
}

function tableOf({ table, columns, rows, rowCount }: Answer): Html {
  const some = rows.slice(0, MOST_ROWS);
  const cut =
    rowCount > some.length
      ? html`<p>The first ${count(some.length)} of ${count(rowCount)} rows. <code>lakelet query</code> shows all.</p>`
      : undefined;
  return html`<details><summary>The figures of ${table} (${rowsOf(rowCount)})</summary><div class="scroll"><table>
<thead><tr>${columns.map((name) => html`<th scope="col">${words(name)}</th>`)}</tr></thead>
<tbody>${some.map((row) => html`<tr>${columns.map((name) => cell(name, row[name]))}</tr>\n`)}</tbody></table></div>${cut}</details>\n`;
}

function cell(column: string, value: unknown): Html {
  if (value === null || value === undefined) return html`<td>–</td>`;
  if (typeof value !== 'number' && typeof value !== 'bigint') return html`<td>${String(value)}</td>`;
  // A year is a name, whose thousands are not set apart.
  const text = column === 'year' ? String(value) : amount(Number(value));
  return html`<td class="number">${text}</td>`;
}
