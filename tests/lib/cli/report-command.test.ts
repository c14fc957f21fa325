import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { main } from '../../../lib/cli/main.ts';
import { reportCommand } from '../../../lib/cli/report-command.ts';
import { reportKey } from '../../../lib/pipeline/report.ts';
import { openStore } from '../../../lib/storage/index.ts';

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

async function report(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = new Kept();
  const err = new Kept();
  const code = await main(['report', ...argv], (program, outside) => program.addCommand(reportCommand(outside)), {
    console: { out, err, live: false },
    signal: new AbortController().signal,
    version: '1.2.3',
    env: { LOG_LEVEL: 'silent', LAKE_URI: 'memory://reports' },
  });
  return { code, out: out.text, err: err.text };
}

describe('lakelet report', () => {
  const lake = openStore('memory://reports');
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lakelet-report-'));
    await lake.put(reportKey('old'), new TextEncoder().encode('<p>old</p>'));
    await lake.put('ops/reports/other.txt', new Uint8Array());
    await lake.put(reportKey('a:new'), new TextEncoder().encode('<p>new</p>'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('writes the report of a run to a file', async () => {
    const file = join(folder, 'old.html');
    expect(await report('--run', 'old', '--output', file)).toEqual({ code: 0, out: '', err: `report  ${file}\n` });
    expect(readFileSync(file, 'utf8')).toBe('<p>old</p>');
  });

  test('writes it to standard output, for a run id that is no file name too', async () => {
    expect(await report('--run', 'a:new', '--output', '-')).toEqual({ code: 0, out: '<p>new</p>', err: '' });
  });

  test('takes the newest where none is named', async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await lake.put(reportKey('aaa'), new TextEncoder().encode('<p>newest</p>'));
    expect((await report('--output', '-')).out).toBe('<p>newest</p>');
  });

  test.each([
    [['--run', 'gone'], /^error REPORT_NOT_FOUND: The lake \S+ holds no report of run gone: .+\n$/],
    [
      ['--lake', 'memory://empty'],
      /^error REPORT_NOT_FOUND: The lake \S+ holds no report: lakelet run writes one\.\n$/,
    ],
  ])('says in one line that there is none: %j', async (argv, message) => {
    const { code, err } = await report(...argv);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});
