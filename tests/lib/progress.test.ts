import { channel } from 'node:diagnostics_channel';
import { onProgress, type Progress, progress } from '../../lib/progress.ts';

describe('progress', () => {
  it('reaches every listener until that one stops listening', () => {
    const first: Progress[] = [];
    const second: Progress[] = [];
    const stopFirst = onProgress((event) => first.push(event));
    const stopSecond = onProgress((event) => second.push(event));
    progress({ step: 'bronze', rows: 1, total: 2 });
    stopFirst();
    progress({ step: 'bronze', done: true });
    stopSecond();
    progress({ step: 'silver' });
    expect(first).toEqual([{ step: 'bronze', rows: 1, total: 2 }]);
    expect(second).toEqual([
      { step: 'bronze', rows: 1, total: 2 },
      { step: 'bronze', done: true },
    ]);
  });

  it('passes on nothing that is no progress, whoever publishes it', () => {
    const heard: Progress[] = [];
    const stop = onProgress((event) => heard.push(event));
    channel('lakelet:progress').publish({ rows: 1 });
    channel('lakelet:progress').publish(null);
    stop();
    expect(heard).toEqual([]);
  });
});
