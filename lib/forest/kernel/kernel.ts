/// <reference path="./webassembly.d.ts" />
import { LakeletError } from '../../errors.ts';
import type { ForestFunctions } from './functions.ts';
import { KERNEL } from './wasm.ts';

const PAGE_BYTES = 65_536;
/** What WebAssembly can address, less a page. */
const MAX_BYTES = 65_535 * PAGE_BYTES;
const LINE_BYTES = 64;

let compiled: WebAssembly.Module | undefined;

/**
 * The functions of the WebAssembly module over a memory that threads share; each thread makes its own instance, at
 * once. `Functions` names those of the module's exports that the caller means to use.
 */
export function instantiateKernel<Functions = ForestFunctions>(memory: WebAssembly.Memory): Functions {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNEL, 'base64'));
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as Functions;
}

/** Where things lie in the kernel's memory, one behind the other, each on a cache line of its own. */
export class KernelLayout {
  // The module's own data, if it ever has any, come first.
  private end = PAGE_BYTES;

  /** Sets bytes aside, and returns their address. */
  take(bytes: number): number {
    const at = this.end;
    this.end += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
    return at;
  }

  /**
   * Whether what was taken has room, before it is made.
   * @throws LakeletError FOREST_TOO_LARGE where it is more than the 4 GiB that WebAssembly can address; `what` and `advice` are for its message
   */
  check(what: string, advice: string): void {
    if (this.end > MAX_BYTES) {
      throw new LakeletError(
        'FOREST_TOO_LARGE',
        `${what} takes ${Math.ceil(this.end / 2 ** 20)} MiB, and WebAssembly can address 4096; ${advice}.`,
      );
    }
  }

  /**
   * A shared memory, all zeros, that has room for what was taken.
   * @throws LakeletError FOREST_TOO_LARGE, as {@link KernelLayout.check}
   */
  memory(what: string, advice: string): WebAssembly.Memory {
    this.check(what, advice);
    const pages = Math.ceil(this.end / PAGE_BYTES);
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  }
}
