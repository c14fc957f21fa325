import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeTempFolder, removeTempFolder } from '../../../lib/duckdb/temp-folder.ts';

const MODULE = join(import.meta.dirname, '..', '..', '..', 'lib', 'duckdb', 'temp-folder.ts');

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'lakelet-test-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** Starts a process that makes a folder, and `then` does something. */
async function another(then: string): Promise<{ child: ChildProcess; folder: string }> {
  const script = `const { makeTempFolder } = await import(${JSON.stringify(MODULE)});
    console.log(makeTempFolder(${JSON.stringify(parent)})); ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [chunk] = await once(child.stdout, 'data');
  return { child, folder: String(chunk).trim() };
}

const WAIT = 'process.stdin.resume();';

/** Waits until a folder is gone; jest's own time limit ends a wait in vain. */
async function gone(folder: string): Promise<void> {
  while (existsSync(folder)) await sleep(10);
}

describe('a temporary folder', () => {
  it('is this user’s alone, and gone when it is removed', () => {
    const folder = makeTempFolder(parent);
    if (process.platform !== 'win32') expect(statSync(folder).mode & 0o077).toBe(0);
    writeFileSync(join(folder, 'file'), 'x');
    removeTempFolder(folder);
    expect(readdirSync(parent)).toEqual([]);
  });

  it('is gone when its process ends', async () => {
    const { child, folder } = await another('process.exit(3);');
    if (child.exitCode === null) await once(child, 'exit');
    expect(existsSync(folder)).toBe(false);
  });

  it('of a process that was killed is removed by the next, of one that lives it is not', async () => {
    const killed = await another(WAIT);
    const alive = await another(WAIT);
    try {
      killed.child.kill('SIGKILL');
      await once(killed.child, 'exit');
      expect(existsSync(killed.folder)).toBe(true);
      const own = makeTempFolder(parent);
      await gone(killed.folder);
      expect(existsSync(alive.folder)).toBe(true);
      removeTempFolder(own);
    } finally {
      alive.child.kill('SIGKILL');
    }
  });

  it('of another machine, and what only looks like one, stays', async () => {
    const own = makeTempFolder(join(parent));
    const [, , pid, start] = basename(own).split('-');
    removeTempFolder(own);
    const others = [`lakelet-00000000-${pid}-${start}-abcdef`, 'lakelet-mine', 'lakelet-test-AbCdEf'];
    for (const name of others) mkdirSync(join(parent, name));
    const { child } = await another('process.exit(0);');
    if (child.exitCode === null) await once(child, 'exit');
    expect(readdirSync(parent).sort()).toEqual(others.sort());
  });
});
