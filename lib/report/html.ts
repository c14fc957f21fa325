import { printable } from '../errors.ts';

/** The most characters of one text from outside. */
const LONGEST_TEXT = 1000;

/** Markup that may stand in a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: markup as it is, all else as text. */
export type Content = Html | string | number | undefined | readonly Content[];

/**
 * Makes markup from a template. Every text put in is escaped, so that data can't become markup, neither between tags nor
 * in a quoted attribute; control characters and bidirectional overrides become visible. Nothing is put in for undefined.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.map((string, at) => `${string}${textOf(values[at])}`).join(''));
}

function textOf(value: Content): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return escaped(String(value));
}

/** Text as markup that shows it: fit for a page, for XML, and for an attribute in quotes. */
export function escaped(text: string): string {
  return shown(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Text with its control characters made visible, halves of characters replaced, and cut where it is very long. */
export function shown(text: string, longest = LONGEST_TEXT): string {
  return printable(text, longest).replace(/\p{Surrogate}/gu, '\ufffd');
}
