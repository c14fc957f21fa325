import { readFileSync } from 'node:fs';
import { CODE_VERSION } from '../../../lib/pipeline/code-version.ts';

it("the code's version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  expect(CODE_VERSION).toBe(version);
});
