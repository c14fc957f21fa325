/** The report's colours, by the custom property that charts and page name them by. */
export const COLOURS = {
  page: { light: '#f7f6f3', dark: '#141413' },
  card: { light: '#ffffff', dark: '#1e1e1c' },
  ink: { light: '#1d1d1b', dark: '#efeeea' },
  muted: { light: '#66645e', dark: '#a8a59d' },
  line: { light: '#e3e1dc', dark: '#383732' },
  series: { light: '#2b6cb8', dark: '#6aa5ec' },
  second: { light: '#c2621b', dark: '#e79a55' },
  quiet: { light: '#8d8b84', dark: '#8d8b84' },
  alarm: { light: '#a8321f', dark: '#ef7f6b' },
} as const;

/** The name of a colour, as charts write it. */
export function colour(name: keyof typeof COLOURS): string {
  return `var(--${name})`;
}
