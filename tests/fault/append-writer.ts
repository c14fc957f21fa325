/**
 * One writer of the race in `concurrent.test.ts`: `append-writer.ts TABLE WRITER COMMITS`. Once its standard input ends it
 * appends one row a commit and writes the versions that it made, as JSON.
 */
import { text } from 'node:stream/consumers';
import { DeltaTable } from '../../lib/duckdb/delta.ts';

const [uri = '', writer = '', commits = '0'] = process.argv.slice(2);
const table = await DeltaTable.open(uri);
process.stdout.write('ready\n');
await text(process.stdin);

const versions: number[] = [];
for (let n = 0; n < Number(commits); n++) {
  const { version } = await table.append({ rows: [{ writer: Number(writer), n }] });
  versions.push(version);
}
process.stdout.write(`${JSON.stringify(versions)}\n`);
