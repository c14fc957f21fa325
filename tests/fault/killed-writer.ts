/**
 * The writer that `kill.test.ts` kills: `killed-writer.ts TABLE FROM`. It appends row after row from number FROM on, each
 * under a transaction of its own, and writes a row's number once its append has returned.
 */
import { writeSync } from 'node:fs';
import { DeltaTable } from '../../lib/duckdb/delta.ts';

const [uri = '', from = '0'] = process.argv.slice(2);
const table = await DeltaTable.open(uri);
writeSync(1, 'ready\n');
for (let n = Number(from); ; n++) {
  await table.append({ rows: [{ n, part: n % 3 }] }, { txn: { appId: `row-${n}` } });
  writeSync(1, `${n}\n`);
}
