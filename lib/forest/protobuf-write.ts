/**
 * Writes one Protocol Buffers message (https://protobuf.dev/programming-guides/encoding/): each call adds a field, in
 * the order of the calls. Whole numbers are unsigned and at most 2^53 − 1, which is all that a model file needs.
 */
export class MessageWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private size = 0;

  /** A field that holds a whole number. */
  integer(field: number, value: number): this {
    this.reserve(16);
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  /** A field that holds text. */
  text(field: number, value: string): this {
    return this.block(field, new TextEncoder().encode(value));
  }

  /** A field that holds bytes; repeated where it is called again. */
  block(field: number, value: Uint8Array): this {
    this.reserve(16 + value.length);
    this.varint(field * 8 + 2);
    this.varint(value.length);
    // A few bytes are copied sooner one by one than by a call, and a model file has a short text a node.
    if (value.length > 32) this.bytes.set(value, this.size);
    else for (let i = 0; i < value.length; i++) this.bytes[this.size + i] = value[i] ?? 0;
    this.size += value.length;
    return this;
  }

  /** A field that holds a message. */
  message(field: number, value: MessageWriter): this {
    return this.block(field, value.finish());
  }

  /** Whole numbers with no field of their own: parts of a packed field, which is written to a writer of its own. */
  packedIntegers(values: Int32Array | Uint8Array): void {
    this.reserve(values.length * 5);
    for (let i = 0; i < values.length; i++) this.varint(values[i] ?? 0);
  }

  /** 32-bit floats with no field of their own: parts of a packed field. */
  packedFloats(values: Float32Array): void {
    this.reserve(values.length * 4);
    for (let i = 0; i < values.length; i++) this.view.setFloat32(this.size + i * 4, values[i] ?? 0, true);
    this.size += values.length * 4;
  }

  /** What was written so far; the view is good until the next write. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  /** Needs up to 8 bytes of reserved room. */
  private varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.size++] = (rest % 0x80) + 0x80;
    this.bytes[this.size++] = rest;
  }

  private reserve(more: number): void {
    const needed = this.size + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
