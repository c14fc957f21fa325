/**
 * One racer, run as a process of its own: `race-writer.ts ROOT ROUNDS HARD_LINKS`. Once its standard input ends it tries to
 * create one key a round and writes the list of rounds that it won, as JSON.
 */
import { text } from 'node:stream/consumers';
import { FileStore } from '../../lib/storage/index.ts';

const [root = '', rounds = '0', hardLinks = 'true'] = process.argv.slice(2);
const store = new FileStore(root, { hardLinks: hardLinks === 'true' });
await store.head('ready');
process.stdout.write('ready\n');
await text(process.stdin);

const won: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  const body = new TextEncoder().encode(`${process.pid}\n`.repeat(500));
  const result = await store.putIfAbsent(`log/${round}`, body);
  const [owner] = new TextDecoder().decode(await store.get(`log/${round}`)).split('\n');
  if ((result === 'created') !== (owner === String(process.pid)))
    throw new Error(`round ${round}: ${result}, but ${owner} is there`);
  if (result === 'created') won.push(round);
}
process.stdout.write(`${JSON.stringify(won)}\n`);
