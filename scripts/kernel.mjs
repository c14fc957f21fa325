// `npm run kernel`: compiles lib/forest/kernel/assembly to WebAssembly and writes it, as text, to
// lib/forest/kernel/wasm.ts (or to the file named), from where it loads in sources, builds and bundles alike.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import asc from 'assemblyscript/asc';
import { root } from './setup.mjs';

const target = resolve(root, process.argv[2] ?? 'lib/forest/kernel/wasm.ts');
const folder = mkdtempSync(join(tmpdir(), 'lakelet-kernel-'));
try {
  const outFile = join(folder, 'kernel.wasm');
  const { error, stderr } = await asc.main(
    [
      ...['lib/forest/kernel/assembly/index.ts', '--baseDir', root, '--outFile', outFile, '-O3', '--noAssert'],
      ...['--runtime', 'stub', '--use', 'abort=', '--enable', 'simd', '--enable', 'threads', '--enable', 'bulk-memory'],
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
    ],
    {},
  );
  if (error) {
    process.stderr.write(`The kernel could not be compiled:\n${stderr.toString()}${error.message}\n`);
    process.exitCode = 1;
  } else {
    const text = readFileSync(outFile).toString('base64');
    const note = '// Made by `npm run kernel` from assembly/; not to be changed by hand.';
    const about = "/** The kernel's WebAssembly module, in base64. */";
    writeFileSync(target, `${note}\n${about}\nexport const KERNEL =\n  '${text}';\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
