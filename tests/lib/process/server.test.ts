import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { portToUse } from '../../../lib/process/port.ts';
import { type ServerCommand, startServer } from '../../../lib/process/server.ts';
import { survivors } from './processes.ts';

const SERVER = `
console.log('hello');
const { PORT, STATUS, BODY } = process.env;
require('node:http').createServer((_, answer) => answer.writeHead(Number(STATUS)).end(BODY)).listen(Number(PORT), '127.0.0.1');
`;

describe('startServer', () => {
  let folder: string;
  let port: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-server-'));
    port = await portToUse();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function command(script: string, more: Partial<ServerCommand> = {}): ServerCommand {
    return {
      name: 'The server',
      failure: 'SERVER_START_FAILED',
      command: process.execPath,
      args: ['-e', script],
      env: { PORT: String(port), STATUS: '200', BODY: 'OK' },
      cwd: join(folder, 'home'),
      log: join(folder, 'logs', 'server.log'),
      port,
      health: `http://127.0.0.1:${port}/health`,
      ...more,
    };
  }

  it('returns when the server is ready, keeps its output, and gives its port up when it has ended', async () => {
    const server = await startServer(command(SERVER, { healthy: (body) => body === 'OK' }));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('OK');
    expect(await readFile(server.log, 'utf8')).toBe('hello\n');
    await server.stop();
    expect(await survivors([server.pid])).toEqual([]);
    expect(await portToUse(port)).toBe(port);
  });

  it('gives its port up also where the server ended by itself', async () => {
    const server = await startServer(command(SERVER));
    process.kill(server.pid, 'SIGKILL');
    await server.ended;
    expect(await portToUse(port)).toBe(port);
    await server.stop();
    // Stopping what is gone does not give up what another start has taken since.
    expect(await portToUse(port)).not.toBe(port);
  });

  it('says the last line of a server that ends at once', async () => {
    const starting = startServer(command('console.error("no \\u001b[31m disk"); process.exit(1)'));
    await expect(starting).rejects.toMatchObject({
      code: 'SERVER_START_FAILED',
      message: expect.stringContaining('The server could not be started: it ended at once: no \\u001b[31m disk'),
    });
  });

  it.each([
    ['another status', { STATUS: '503', BODY: 'OK' }],
    ['another body', { STATUS: '200', BODY: 'starting' }],
  ])('does not take %s for an answer, and ends what it started', async (_, answer) => {
    const script = `require('node:fs').writeFileSync('pid', String(process.pid));${SERVER}`;
    const starting = startServer(
      command(script, {
        env: { ...answer, PORT: String(port) },
        healthy: (body) => body === 'OK',
        startTimeoutMs: 1500,
      }),
    );
    await expect(starting).rejects.toMatchObject({ message: expect.stringContaining('did not answer within 1.5 s') });
    expect(await survivors([Number(await readFile(join(folder, 'home', 'pid'), 'utf8'))])).toEqual([]);
  });

  it('stops waiting when it is cancelled', async () => {
    const starting = startServer(command('setInterval(() => 0, 1000)', { signal: AbortSignal.timeout(50) }));
    await expect(starting).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('says so where its command or its folder is not there', async () => {
    await writeFile(join(folder, 'file'), '');
    const expected = { code: 'SERVER_START_FAILED', message: expect.stringContaining('server.log') };
    await expect(startServer(command(SERVER, { command: 'no-such-command' }))).rejects.toMatchObject(expected);
    await expect(startServer(command(SERVER, { cwd: join(folder, 'file', 'home') }))).rejects.toMatchObject(expected);
    expect(await portToUse(port)).toBe(port);
  });
});
