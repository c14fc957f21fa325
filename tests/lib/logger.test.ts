import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../lib/config.ts';
import { loadConfig } from '../../lib/config.ts';
import { openLogger } from '../../lib/logger.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lakelet-logs-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(changed: Partial<Config>): { lines: string[]; log: ReturnType<typeof openLogger> } {
  const lines: string[] = [];
  const config = { ...loadConfig({}), logsDir: join(folder, 'logs'), ...changed };
  return { lines, log: openLogger(config, { write: (line: string) => lines.push(line) }) };
}

describe('a logger', () => {
  it('writes the same JSON lines to standard error and to a file of the day, where the run is local', () => {
    const { lines, log } = open({});
    log.child({ name: 'bronze' }).info({ rows: 3 }, 'done');
    const [file = ''] = readdirSync(join(folder, 'logs'));
    expect(file).toMatch(/^lakelet-\d{4}-\d\d-\d\d\.log$/);
    expect(readFileSync(join(folder, 'logs', file), 'utf8')).toBe(lines.join(''));
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      name: 'bronze',
      rows: 3,
      msg: 'done',
    });
  });

  it('touches no file inside a Lambda, and nothing at all when silent', () => {
    open({ local: false }).log.info('x');
    const { lines, log } = open({ logLevel: 'silent' });
    log.fatal('x');
    expect(lines).toEqual([]);
    expect(existsSync(join(folder, 'logs'))).toBe(false);
  });

  it('leaves out what is below LOG_LEVEL', () => {
    const { lines, log } = open({ logLevel: 'warn', local: false });
    log.info('quiet');
    log.warn('loud');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['loud']);
  });

  it('never writes a password or a token', () => {
    const { lines, log } = open({ local: false });
    log.info({ password: 'hush', mlflow: { token: 'hush', username: 'u' } }, 'settings');
    expect(lines.join('')).not.toContain('hush');
    expect(lines.join('')).toContain('[hidden]');
  });

  it('says in one line where its file cannot be written', () => {
    writeFileSync(join(folder, 'logs'), 'a file in the way');
    expect(() => open({})).toThrow(expect.objectContaining({ code: 'LOGS_NOT_WRITABLE' }));
  });
});
