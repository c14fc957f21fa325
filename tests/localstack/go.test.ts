import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findGo, type GoProgram, goInstall } from '../../localstack/go.ts';

let temporary: string;
/** A module of its own, which needs nothing from the proxy. */
let source: string;
let said: string[];

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'lakelet-go-'));
  source = join(temporary, 'hello');
  said = [];
  mkdirSync(source);
  writeFileSync(join(source, 'go.mod'), 'module hello\n\ngo 1.24\n');
  writeProgram('one');
});

afterEach(() => rmSync(temporary, { recursive: true, force: true }));

function writeProgram(word: string): void {
  writeFileSync(join(source, 'main.go'), `package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("${word}") }\n`);
}

function program(more: Partial<GoProgram> = {}): GoProgram {
  const say = (line: string) => void said.push(line);
  return { source, name: 'greet', takes: 'a second', folder: join(temporary, 'installed'), say, ...more };
}

function output(file: string): string {
  return execFileSync(file, { encoding: 'utf8' }).trim();
}

describe('a program in Go', () => {
  it('is built once, and again when its source has changed', async () => {
    const file = await goInstall(program());
    expect([file, output(file)]).toEqual([join(temporary, 'installed', 'bin', 'greet'), 'one']);
    const built = statSync(file).mtimeMs;
    expect(await goInstall(program())).toBe(file);
    expect(statSync(file).mtimeMs).toBe(built);
    expect(said).toHaveLength(1);
    writeProgram('two');
    expect(output(await goInstall(program()))).toBe('two');
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/^building greet from the Go module proxy into .*greet \(once, a second\)$/);
  }, 120_000);

  it('is built once by two who want it at the same time', async () => {
    const files = await Promise.all([goInstall(program()), goInstall(program())]);
    expect(files.map(output)).toEqual(['one', 'one']);
    expect(said.filter((line) => line.startsWith('building '))).toHaveLength(1);
  }, 120_000);

  it('stays as it was where a new build fails, says why, and leaves nothing else', async () => {
    const file = await goInstall(program());
    writeFileSync(join(source, 'main.go'), 'package main\n\nfunc main() { nonsense }\n');
    await expect(goInstall(program())).rejects.toMatchObject({
      code: 'GO_BUILD_FAILED',
      retryable: true,
      message: expect.stringMatching(
        /^greet could not be built .*undefined: nonsense.*: check that the Go module proxy/,
      ),
    });
    expect(output(file)).toBe('one');
    expect(readdirSync(join(file, '..')).sort()).toEqual(['greet', 'greet.stamp']);
    writeProgram('three');
    expect(output(await goInstall(program()))).toBe('three');
  }, 120_000);

  it('is built anew where only its stamp, or only its file is left', async () => {
    const file = await goInstall(program());
    for (const left of [file, `${file}.stamp`]) {
      rmSync(left);
      expect(output(await goInstall(program()))).toBe('one');
    }
    expect(said).toHaveLength(3);
  }, 120_000);

  it('is not built when that is cancelled', async () => {
    await expect(goInstall(program({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(readdirSync(join(temporary, 'installed', 'bin'))).toEqual([]);
  }, 60_000);
});

describe('a Go compiler', () => {
  it('is the first that is new enough', async () => {
    const old = join(temporary, 'old-go');
    writeFileSync(old, '#!/bin/sh\necho go1.20.14\n', { mode: 0o755 });
    const fine = join(temporary, 'new-go');
    writeFileSync(fine, '#!/bin/sh\necho go1.31rc1\n', { mode: 0o755 });
    expect(await findGo(program({ gos: [join(temporary, 'none'), old, fine] }))).toBe(fine);
  }, 60_000);

  it('is asked for in one line where there is none, and no Python to get one with', async () => {
    await expect(findGo(program({ gos: ['no-such-go'], pythons: ['no-such-python'] }))).rejects.toMatchObject({
      code: 'GO_MISSING',
      message: expect.stringMatching(/^No Go 1\.24 or newer is on this machine, .*: install Go, and try again\.$/),
    });
  }, 120_000);
});
