import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { FEATURES } from '../../../lib/delta/protocol/features.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const text = readFileSync(join(root, 'docs', 'delta.md'), 'utf8');

test('docs/delta.md has an example that runs as it stands, and prints what it says', () => {
  const [, code = ''] = /```ts\n(.*?)```/s.exec(text) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'lakelet-docs-'));
  try {
    const room = pathToFileURL(join(root, 'lib', 'duckdb', 'delta.ts')).href;
    writeFileSync(join(folder, 'example.mts'), code.replace("'lakelet/delta'", `'${room}'`));
    const printed = execFileSync(process.execPath, ['example.mts'], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '' },
      encoding: 'utf8',
      timeout: 25_000,
    });
    expect(printed.split('\n')).toEqual([
      "[ { id: 2n, price: '20.00' } ]",
      '3 WRITE 1',
      '2 WRITE 1000',
      '1 WRITE 2',
      '0 CREATE TABLE undefined',
      '3',
      'TABLE_NOT_FOUND',
      '',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('docs/delta.md tells of every feature that is known', () => {
  for (const { name } of FEATURES) expect(text).toMatch(new RegExp(`^\\|.*\`${name}\``, 'm'));
});
