import type { Drawing } from './canvas.ts';
import { ROOT_ATTRIBUTES, WIDTH } from './canvas.ts';
import { COLOURS } from './colours.ts';
import { escaped, Html, html } from './html.ts';

/** A chart with what it says. */
export interface Chart {
  /** What it shows, in a few words. */
  readonly title: string;
  /** What is to be seen in it, in a sentence or two, for those who read and for those who can't see it. */
  readonly caption: string;
  readonly drawing: Drawing;
}

/** A chart in a page, with its title, its caption, and what else belongs to it. */
export function figure({ title, caption, drawing: { width, height, inner } }: Chart, more?: Html): Html {
  const label = escaped(`${title}. ${caption}`);
  const svg = new Html(
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" ${ROOT_ATTRIBUTES}>${inner}</svg>`,
  );
  return html`<figure><h3>${title}</h3>${svg}<figcaption>${caption}</figcaption>${more}</figure>\n`;
}

const HEADING = 46;

/**
 * Charts as one SVG file, one below the other, on a white card in colours of its own: whoever shows it, a light page or a
 * dark one, shows the same.
 */
export function standalone(charts: readonly Chart[]): string {
  const height = charts.reduce((sum, { drawing }) => sum + drawing.height + HEADING, 0);
  const titles = charts.map(({ title, caption }) => `${title}. ${caption}`).join(' ');
  let top = 0;
  const parts = charts.map(({ title, drawing }) => {
    const heading = `<text x="14" y="${top + 28}" text-anchor="start" font-size="15" font-weight="600">${escaped(title)}</text>`;
    const chart = `<g transform="translate(0,${top + HEADING - 8})">${drawing.inner}</g>`;
    top += drawing.height + HEADING;
    return heading + chart;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" ${ROOT_ATTRIBUTES.replace('currentColor', COLOURS.ink.light)} color="${COLOURS.ink.light}">` +
    `<title>${escaped(titles)}</title><rect width="100%" height="100%" fill="#ffffff"/>${inLight(parts.join(''))}</svg>\n`
  );
}

/** Custom properties become the colours of the light page: a picture has no page around it that would set them. */
function inLight(svg: string): string {
  return Object.entries(COLOURS).reduce((text, [name, { light }]) => text.replaceAll(`var(--${name})`, light), svg);
}
