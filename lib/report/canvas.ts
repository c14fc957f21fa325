import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom/worker';
import { shown } from './html.ts';

/** A chart's width in its own pixels; a page may show it wider or narrower. */
export const WIDTH = 460;

const FONT_SIZE = 12;

/** A drawn chart: what stands between an SVG's tags. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** SVG whose colours are the custom properties of `COLOURS`, and `currentColor`. */
  readonly inner: string;
}

/** Draws with Observable Plot, without a browser. */
export function draw(options: Plot.PlotOptions & { readonly height: number }): Drawing {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const figure = Plot.plot({ width: WIDTH, marginRight: 12, ...options, document });
  const style = figure.querySelector('style');
  // Its rules are for a page of Plot's own; this report has its own, and they would come with every chart again.
  style?.remove();
  return { width: WIDTH, height: options.height, inner: rounded(figure.innerHTML) };
}

/** The attributes of an SVG's root that Plot's marks count on. */
export const ROOT_ATTRIBUTES = `fill="currentColor" font-family="system-ui, sans-serif" font-size="${FONT_SIZE}" text-anchor="middle"`;

/** Two figures behind the point are finer than a pixel, and half the size; texts are left alone. */
function rounded(svg: string): string {
  return svg.replace(/<[^>]+>/g, (tag) => tag.replace(/(\d+\.\d{2})\d+/g, '$1'));
}

/** The most characters of a bar's name beside it. */
const LONGEST_NAME = 24;

/** A name as it stands at an axis: cut where it is long. */
export function axisName(name: string): string {
  // By characters, so that none of two halves is cut in two.
  const characters = [...name];
  return characters.length > LONGEST_NAME ? `${characters.slice(0, LONGEST_NAME - 1).join('')}…` : name;
}

/** An axis's own name, made visible and cut where it is long. */
export function axisLabel(label: string): string {
  return shown(label, 60);
}

/** The room in pixels that names need at the left of a chart. */
export function roomFor(names: readonly string[]): number {
  return Math.ceil(Math.max(3, ...names.map((name) => axisName(name).length)) * FONT_SIZE * 0.58) + 14;
}
