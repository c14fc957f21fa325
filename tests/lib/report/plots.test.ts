import { trainingPlots } from '../../../lib/report/index.ts';
import { reportInput } from './report-example.ts';
import { misfit } from './well-formed.ts';

describe('plots of a training', () => {
  const { model } = reportInput();

  test('are five SVG files that stand alone, on a ground of their own', () => {
    const plots = trainingPlots(model);
    expect(plots.map(({ path }) => path)).toEqual([
      'plots/importances.svg',
      'plots/residuals.svg',
      'plots/predicted_vs_actual.svg',
      'plots/error_by_segment.svg',
      'plots/learning_curve.svg',
    ]);
    for (const { body } of plots) {
      const svg = new TextDecoder().decode(body);
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" /);
      expect(svg).toContain('<rect width="100%" height="100%" fill="#ffffff"/>');
      expect(svg).not.toContain('var(');
      expect(misfit(svg)).toBeUndefined();
    }
  });

  test('leave out what there are no figures for', () => {
    const { curve: _, segments: __, ...less } = model;
    expect(trainingPlots(less).map(({ path }) => path)).toEqual([
      'plots/importances.svg',
      'plots/residuals.svg',
      'plots/predicted_vs_actual.svg',
    ]);
  });
});
