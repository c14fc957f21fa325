import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's root. */
export const root = join(import.meta.dirname, '..', '..');

/** The documents, by their paths in the project. */
export const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

export function textOf(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}

/** The fenced blocks of a document by what stands after their fence: `ts`, `sh`, `sh emulators`. */
export function blocks(document: string, info: string): string[] {
  return [...textOf(document).matchAll(new RegExp(`^\`\`\`${info}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  );
}

/** The commands of a document's shell blocks, without their comments. */
export function commandsOf(document: string, info: string): string[] {
  return blocks(document, info)
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '');
}
