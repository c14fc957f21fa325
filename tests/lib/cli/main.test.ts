import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { wholeNumber } from '../../../lib/cli/arguments.ts';
import { doctorCommand } from '../../../lib/cli/doctor-command.ts';
import { type AddCommands, main } from '../../../lib/cli/main.ts';
import { OutputClosed } from '../../../lib/cli/output.ts';
import { LakeletError } from '../../../lib/errors.ts';

class Kept extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

async function lakelet(argv: readonly string[], add: AddCommands, env: NodeJS.ProcessEnv = {}) {
  const out = new Kept();
  const err = new Kept();
  const code = await main(argv, add, {
    console: { out, err, live: false },
    signal: new AbortController().signal,
    version: '1.2.3',
    env: { ...env, LOG_LEVEL: 'silent' },
  });
  return { code, out: out.text, err: err.text };
}

const doctor: AddCommands = (program, outside, exit) => {
  program.addCommand(doctorCommand(outside, exit));
};

function failing(error: unknown): AddCommands {
  return (program) => {
    program.addCommand(
      new Command('work').option('--rows <n>', 'rows', wholeNumber(1)).action(() => {
        throw error;
      }),
    );
  };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakelet-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the command line', () => {
  it.each([
    [
      ['work', '--rowz', '5'],
      /^error USAGE: unknown option '--rowz' \(Did you mean --rows\?\); lakelet work --help tells more\n$/,
    ],
    [['work', '--rows', '-5'], /^error USAGE: .*'-5' is invalid.* whole number of at least 1.*\n$/],
    [['work', '--rows', '1e3'], /^error USAGE: .*'1e3' is invalid.*\n$/],
    [['werk'], /^error USAGE: unknown command 'werk'.*\n$/],
    [['work', 'extra'], /^error USAGE: too many arguments.*\n$/],
  ])('answers %j with exit code 2 and one line', async (argv, line) => {
    const { code, out, err } = await lakelet(argv, failing(new Error('not reached')));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(line);
  });

  it('gives help with an example, and the version, with exit code 0', async () => {
    const help = await lakelet(['doctor', '--help'], doctor);
    expect(help.code).toBe(0);
    expect(help.out).toContain('Example');
    expect(await lakelet(['--version'], doctor)).toEqual({ code: 0, out: '1.2.3\n', err: '' });
  });

  it('tells a failure in one harmless line with its code, and exits with 1', async () => {
    const { code, err } = await lakelet(
      ['work'],
      failing(new LakeletError('TABLE_NOT_FOUND', 'No table\n\u001b[31m here')),
    );
    expect(code).toBe(1);
    expect(err).toBe('error TABLE_NOT_FOUND: No table\\n\\u001b[31m here\n');
  });

  it('tells an unforeseen failure in one line too', async () => {
    const { code, err } = await lakelet(['work'], failing(new TypeError('x is\nundefined')));
    expect(code).toBe(1);
    expect(err).toMatch(/^error INTERNAL: x is\\nundefined.*\n$/);
  });

  it('is quiet, with exit code 0, when the reader of its output has gone away', async () => {
    expect(await lakelet(['work'], failing(new OutputClosed()))).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('lakelet doctor', () => {
  it('finds a fresh folder fit, and leaves no trace in it', async () => {
    const { code, out } = await lakelet(['doctor', '--lake', join(folder, 'a', 'lake'), '--format', 'json'], doctor);
    const report = JSON.parse(out);
    expect(code).toBe(0);
    expect(report.ok).toBe(true);
    const found = Object.fromEntries(
      report.checks.map((check: { name: string; status: string }) => [check.name, check.status]),
    );
    expect(found).toMatchObject({
      'Node.js': 'ok',
      DuckDB: 'ok',
      lake: 'ok',
      'put-if-absent': 'ok',
      'hard links': 'ok',
      MLflow: 'ok',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('says in a line what is wrong with a lake that is a file, and exits with 1', async () => {
    await writeFile(join(folder, 'lake'), 'x');
    const { code, out } = await lakelet(['doctor', '--lake', join(folder, 'lake')], doctor);
    expect(code).toBe(1);
    expect(out).toMatch(/^fail {2}lake .*file stands where a folder is needed.*; choose another folder.*$/m);
    expect(await readdir(folder)).toEqual(['lake']);
  });

  it('says when the MLflow server answers with an error, or not at all', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(500).end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const address = server.address();
    const uri = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const answering = await lakelet(['doctor', '--lake', folder], doctor, { MLFLOW_TRACKING_URI: uri });
    await new Promise((closed) => server.close(closed));
    const down = await lakelet(['doctor', '--lake', folder], doctor, { MLFLOW_TRACKING_URI: uri });
    expect([answering.code, down.code]).toEqual([1, 1]);
    expect(answering.out).toMatch(/^fail {2}MLflow .*answers 500; start the server/m);
    expect(down.out).toMatch(/^fail {2}MLflow .*ECONNREFUSED.*; start the server/m);
  });

  it('says which setting is wrong', async () => {
    const { code, err } = await lakelet(['doctor'], doctor, { MLFLOW_TRACKING_URI: 'sqlite:///x' });
    expect(code).toBe(1);
    expect(err).toMatch(/^error CONFIG_INVALID: MLFLOW_TRACKING_URI.*\n$/);
  });
});
