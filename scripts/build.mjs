// `npm run build`: the package's JavaScript and declarations in dist/ (or the folder named), and beside them the files
// that the code loads.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { giveUp, quietly, root, setUp } from './setup.mjs';

const dist = resolve(root, process.argv[2] ?? 'dist');

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

try {
  const { node } = setUp();
  rmSync(dist, { recursive: true, force: true });
  quietly('tsc', node, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.build.json',
    '--outDir',
    dist,
  ]);
  const loaded = [...filesUnder('datasets'), ...filesUnder('statemachine'), ...filesUnder('lib')];
  for (const file of loaded.filter((name) => /\.(sql|asl\.json)$/.test(name))) {
    cpSync(join(root, file), join(dist, file));
  }
} catch (error) {
  giveUp(error);
}
