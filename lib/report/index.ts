export type * from './input.ts';
export { renderReport } from './page.ts';
export { type PlotFile, trainingPlots } from './plots.ts';
