import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..', '..', '..');

describe('docs/forest.md', () => {
  it('has an example that runs as it stands', () => {
    const text = readFileSync(join(root, 'docs', 'forest.md'), 'utf8');
    const [, code] = /```ts\n(.*?)```/s.exec(text) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'lakelet-docs-'));
    try {
      const room = pathToFileURL(join(root, 'lib', 'forest', 'index.ts')).href;
      const check = "if (again.nodes !== forest.nodes) throw new Error('another forest');\n";
      writeFileSync(join(folder, 'example.mts'), `${code?.replace("'lakelet/forest'", `'${room}'`)}${check}`);
      const env = { ...process.env, NODE_OPTIONS: '' };
      const printed = execFileSync(process.execPath, [join(folder, 'example.mts')], { env, timeout: 25_000 });
      expect(printed.toString()).toMatch(/r2: 0\.9/);
      expect(printed.toString()).toContain("name: 'category'");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names every option', () => {
    const text = readFileSync(join(root, 'docs', 'forest.md'), 'utf8');
    const source = (name: string): string => readFileSync(join(root, 'lib', 'forest', name), 'utf8');
    const options = [...source('options.ts').matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
    expect(options).toHaveLength(13);
    for (const name of options) expect(text).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
  });
});
