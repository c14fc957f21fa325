import { Writable } from 'node:stream';
import { drawProgress } from '../../../lib/cli/progress-line.ts';
import { progress } from '../../../lib/progress.ts';

function drawn(live: boolean, work: (tick: (milliseconds: number) => void) => void): string {
  let text = '';
  let now = 1000;
  const err = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const stop = drawProgress({ out: err, err, live }, () => now);
  work((milliseconds) => {
    now += milliseconds;
  });
  stop();
  progress({ step: 'bronze', rows: 1, done: true });
  return text;
}

describe('the progress of a run', () => {
  const work = (tick: (milliseconds: number) => void): void => {
    progress({ step: 'bronze', message: 'landing', rows: 0, total: 2000 });
    tick(500);
    progress({ step: 'bronze', rows: 1000 });
    tick(10);
    progress({ step: 'bronze', rows: 1500 });
    tick(490);
    progress({ step: 'bronze', rows: 2000, done: true });
  };

  it('is one line a step, with rows and rows a second, where there is no terminal', () => {
    expect(drawn(false, work)).toBe('bronze          landing  2,000 rows, 2,000 rows/s  1.00 s\n');
  });

  it('is a line that changes on a terminal, not more often than an eye can follow', () => {
    const text = drawn(true, work);
    expect(text).toContain('\r\u001b[2Kbronze          landing  1,000 of 2,000 rows, 2,000 rows/s  0.50 s');
    expect(text).not.toContain('1,500');
    expect(text.endsWith('2,000 rows, 2,000 rows/s  1.00 s\n\r\u001b[2K')).toBe(true);
  });

  it('lets no control characters through', () => {
    expect(drawn(false, () => progress({ step: 'x', message: 'a\u001b[2Jb', done: true }))).toContain('a\\u001b[2Jb');
  });
});
