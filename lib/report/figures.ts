/** A count with its thousands apart: `1,234,567`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** An amount as people read it: whole from 1,000 on, else with three figures; `–` where there is none. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  if (size >= 1000) return count(value);
  return trimmed(size >= 100 ? value.toFixed(0) : size >= 1 ? value.toFixed(size >= 10 ? 1 : 2) : value.toPrecision(3));
}

/** An amount in little room: `1.2M`, `200k`. */
export function compact(value: number): string {
  const size = Math.abs(value);
  const [unit, name] = UNITS.find(([least]) => size >= least) ?? [1, ''];
  if (size >= 1e15) return value.toExponential(0);
  if (name === '') return trimmed(size >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2));
  return `${trimmed((value / unit).toPrecision(3))}${name}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** A share as percent: `94.6 %`; what is not quite 0 or 100 is not shown as such. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  if (share > 0 && share < 0.001) return '< 0.1 %';
  if (share < 1 && share > 0.999) return '> 99.9 %';
  return `${trimmed((share * 100).toFixed(1))} %`;
}

/** A score such as R²: `0.836`. */
export function score(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3).replace(/^-(0\.0+)$/, '$1') : '–';
}

/** A p-value behind its letter: `= 0.013`, `< 0.001`. */
export function probability(p: number): string {
  if (!Number.isFinite(p)) return '–';
  if (p > 0.999) return '> 0.999';
  return p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`;
}

/** Seconds: `1.44 s`, `2 min 5 s`. */
export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(value < 10 ? 2 : 1)} s`;
  const whole = Math.round(value);
  return `${count(Math.floor(whole / 60))} min ${whole % 60} s`;
}

/** A moment in UTC: `2026-11-25 11:07 UTC`. @param milliseconds since 1970 */
export function moment(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A column's name as words: `product_category` as `Product category`. */
export function words(name: string): string {
  const text = name.replaceAll('_', ' ').trim();
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** Names as a sentence has them: `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `1 row`, `2 rows`. */
export function rows(n: number): string {
  return `${count(n)} ${n === 1 ? 'row' : 'rows'}`;
}

function trimmed(digits: string): string {
  return /\.\d*$/.test(digits) ? digits.replace(/\.?0+$/, '') : digits;
}
