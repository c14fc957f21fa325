import { bars } from './bars.ts';
import { figure } from './chart.ts';
import { compact, count, percent } from './figures.ts';
import { type Html, html } from './html.ts';
import type { FateCounts, Fates } from './input.ts';

/** The most rules that are drawn. */
const MOST_RULES = 20;

const FATES = [
  ['good', 'series', 'valid, one row a key: they stand in silver'],
  ['quarantined', 'second', 'broke a rule: kept apart, with rule and reason'],
  ['duplicates', 'quiet', 'delivered again, or corrected by a later record'],
  ['rejected', 'alarm', 'could not be read'],
] as const;

/** What became of the records: a bar of all of them, with their numbers, and why some were set aside. */
export function fatesSection({ run, all, quarantine }: Fates): Html {
  const [heading, counts] = run === undefined ? ['All records in bronze', all] : ['The records of this run', run];
  const both =
    run !== undefined && all !== undefined && all.in !== run.in
      ? html`<p>Over all ${count(all.in)} records that bronze holds: ${count(all.good)} good, ${count(all.quarantined)} quarantined, ${count(all.duplicates)} duplicates, ${count(all.rejected)} rejected.</p>`
      : undefined;
  return html`<section><h2>What became of the records</h2>
${counts === undefined ? html`<p>This version of silver does not tell what became of the records.</p>` : fateBar(heading ?? '', counts)}
${both}<div class="grid">${quarantineChart(quarantine)}</div></section>\n`;
}

function fateBar(title: string, counts: FateCounts): Html {
  const alt = `${title}: ${count(counts.in)} in, ${FATES.map(([fate]) => `${count(counts[fate])} ${fate}`).join(', ')}.`;
  let left = 0;
  const parts = FATES.map(([fate, colour]) => {
    const width = counts.in === 0 ? 0 : (counts[fate] / counts.in) * 1000;
    const part = html`<rect x="${left.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="30" fill="var(--${colour})"/>`;
    left += width;
    return part;
  });
  return html`<figure><h3>${title}: ${count(counts.in)} in = ${FATES.map(([fate]) => `${count(counts[fate])} ${fate}`).join(' + ')}</h3>
<svg class="bar" viewBox="0 0 1000 30" preserveAspectRatio="none" role="img" aria-label="${alt}">${parts}</svg>
<table class="fates"><tbody>${FATES.map(
    ([fate, colour, meaning]) =>
      html`<tr><th scope="row"><span class="swatch" style="background:var(--${colour})"></span>${fate}</th><td class="number">${count(counts[fate])}</td><td class="number">${percent(counts.in === 0 ? 0 : counts[fate] / counts.in)}</td><td>${meaning}</td></tr>\n`,
  )}</tbody></table></figure>\n`;
}

function quarantineChart(quarantine: Fates['quarantine']): Html {
  const some = quarantine.slice(0, MOST_RULES);
  if (some.length === 0) return html`<p>The quarantine is empty.</p>`;
  const total = quarantine.reduce((sum, { rows }) => sum + rows, 0);
  const cut =
    some.length < quarantine.length ? ` The ${MOST_RULES} with the most of ${quarantine.length} rules are shown.` : '';
  return figure(
    {
      title: 'Quarantined records by the rule that they broke',
      caption: `${count(total)} ${total === 1 ? 'record' : 'records'} of all runs; each counts for the first rule that it broke.${cut}`,
      drawing: bars(
        some.map(({ rule, rows }) => ({ name: rule, value: rows })),
        { label: 'Records', format: compact },
      ),
    },
    html`<dl>${some.map(({ rule, reason }) => html`<dt>${rule}</dt><dd>${reason}</dd>`)}</dl>`,
  );
}
