import { MemoryStore, openStore } from '../../../lib/storage/index.ts';
import { objectStoreContract } from '../../contract/object-store.ts';

describe('a memory store', () => {
  objectStoreContract(async () => new MemoryStore('memory://contract'));

  it('has no local paths', () => {
    expect(new MemoryStore().localPath()).toBeUndefined();
  });

  it('is shared by its name within the process', async () => {
    await openStore('memory://shared-by-name/lake').put('k', Uint8Array.of(7));
    expect(await openStore('memory://shared-by-name').get('lake/k')).toEqual(Uint8Array.of(7));
    expect(await openStore('memory://another-name/lake').head('k')).toBeUndefined();
  });
});
