/**
 * One racer, run as a process of its own: `race-writer.ts PLACE ROUNDS HARD_LINKS`, the place a folder or a URI. Once its standard input ends it tries to
 * create one key a round and writes the list of rounds that it won, as JSON.
 */
import { text } from 'node:stream/consumers';
import { FileStore, type ObjectStore, openStore } from '../../lib/storage/index.ts';

const [place = '', rounds = '0', hardLinks = 'true'] = process.argv.slice(2);
const store: ObjectStore = place.includes('://')
  ? openStore(place)
  : new FileStore(place, { hardLinks: hardLinks === 'true' });
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
