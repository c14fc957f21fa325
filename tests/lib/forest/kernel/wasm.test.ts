import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..', '..');

describe("the kernel's module", () => {
  it('is what its sources compile to', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lakelet-kernel-test-'));
    try {
      const built = join(folder, 'wasm.ts');
      const env = { ...process.env, NODE_OPTIONS: '' };
      execFileSync(process.execPath, [join(root, 'scripts', 'kernel.mjs'), built], { env });
      expect(readFileSync(join(root, 'lib', 'forest', 'kernel', 'wasm.ts'), 'utf8')).toBe(readFileSync(built, 'utf8'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
