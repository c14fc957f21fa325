// Writes docs/openapi.json anew from the schemas of the API: node scripts/openapi.mjs. A test says when that is due.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openapi } from '../lib/api/openapi.ts';
import { root } from './setup.mjs';

writeFileSync(join(root, 'docs', 'openapi.json'), `${JSON.stringify(openapi(), undefined, 2)}\n`);
