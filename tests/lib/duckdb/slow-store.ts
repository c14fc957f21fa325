import { type ByteRange, MemoryStore } from '../../../lib/storage/index.ts';

/** A store that counts its reads, and may hold them up. */
export class SlowStore extends MemoryStore {
  reads = 0;
  /** The most bytes that were on their way at once. */
  mostBytes = 0;
  /** What every read waits for. */
  gate: Promise<void> = Promise.resolve();
  private bytes = 0;

  override async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    this.reads++;
    const found = await super.get(key, range);
    this.bytes += found.length;
    this.mostBytes = Math.max(this.mostBytes, this.bytes);
    await this.gate;
    this.bytes -= found.length;
    return found;
  }
}

/** A gate that is shut until it is opened. */
export function shutGate(): { readonly gate: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open };
}
