import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..', '..');

describe('docs/forest.md', () => {
  it('names every option of boosting in its section', () => {
    const [, section] = /## Boosting\n(.*?)\n## /s.exec(readFileSync(join(root, 'docs', 'forest.md'), 'utf8')) ?? [];
    const source = readFileSync(join(root, 'lib', 'forest', 'boosting', 'options.ts'), 'utf8');
    const [, options] = /interface BoostingOptions \{(.*?)\n\}/s.exec(source) ?? [];
    const names = [...(options ?? '').matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name);
    expect(names).toHaveLength(12);
    for (const name of names) expect(section).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
  });
});
