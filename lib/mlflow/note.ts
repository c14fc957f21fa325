import { printable } from '../errors.ts';
import type { TrainingRecord } from './training.ts';

/** How many features a note names. */
const FEATURES = 5;

/**
 * A training's result in a few lines of Markdown, which MLflow's pages show as the description of its run and version.
 *
 * @param decision what became of the model in the registry, where that is known
 */
export function trainingNote(training: TrainingRecord, decision?: string): string {
  const { metrics, dataset, heldOut, model, children = [] } = training;
  const columns = ['rmse', 'mae', 'r2'].filter((name) => metrics[name] !== undefined);
  const row = (name: string, values: TrainingRecord['metrics']): string =>
    `| ${cell(name)} | ${columns.map((column) => figure(values[column])).join(' | ')} |`;
  const where = dataset.predicate === undefined ? '' : `, where ${cell(dataset.predicate)}`;
  const best = (model.importances ?? []).toSorted((a, b) => b.importance - a.importance).slice(0, FEATURES);
  return [
    ...(decision === undefined ? [] : [cell(decision), '']),
    `| | ${columns.join(' | ')} |`,
    `| --- |${' ---: |'.repeat(columns.length)}`,
    row('this model', metrics),
    ...children.map((child) => row(child.name, child.metrics)),
    '',
    `Scored on ${heldOut.rows} held-out rows of ${cell(dataset.name)}, version ${dataset.version}${where}.`,
    ...(best.length === 0 ? [] : ['', `Most important: ${best.map(({ name }) => cell(name)).join(', ')}.`]),
  ].join('\n');
}

/** Text in which Markdown and HTML find nothing of theirs. */
function cell(text: string): string {
  return printable(text, 500).replace(/[\\`*_|<>[\]#]/g, '\\$&');
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toPrecision(5)));
}
