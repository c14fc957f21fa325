import { LakeletError } from '../errors.ts';

/** One field of a message: its number, and a whole number or a block of bytes (text, a message or packed values). */
export type Field =
  | { readonly number: number; readonly kind: 'integer'; readonly value: number }
  | { readonly number: number; readonly kind: 'block'; readonly value: Uint8Array };

const INTEGER = 0;
const BLOCK = 2;

/** The error of a file that is no model of ours. */
export function unreadable(reason: string): LakeletError {
  return new LakeletError(
    'FOREST_MODEL_UNREADABLE',
    `The model file can't be read: ${reason}; give an ONNX file that Lakelet wrote.`,
  );
}

/**
 * The fields of a Protocol Buffers message, in their order. Knows the two kinds of field that our model files use.
 * @throws LakeletError FOREST_MODEL_UNREADABLE where the bytes are no such message
 */
export function* readFields(message: Uint8Array): Generator<Field> {
  const numbers = new VarintReader(message);
  while (!numbers.done) {
    const key = numbers.next();
    const number = Math.floor(key / 8);
    if (number === 0) throw unreadable('it is no ONNX file');
    if (key % 8 === INTEGER) {
      yield { number, kind: 'integer', value: numbers.next() };
    } else if (key % 8 === BLOCK) {
      yield { number, kind: 'block', value: numbers.block(numbers.next()) };
    } else {
      throw unreadable('it holds what our files do not hold');
    }
  }
}

/** Reads variable-length whole numbers, one after the other. */
export class VarintReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Whether all has been read. */
  get done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next number, unsigned. */
  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 0x80) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw unreadable('it is cut off');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && value <= Number.MAX_SAFE_INTEGER) return value;
    }
    throw unreadable('it holds a number that is too large');
  }

  /** The next `length` bytes, as a view. */
  block(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw unreadable('it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
