/**
 * A small seeded generator of random numbers (sfc32, Chris Doty-Humphrey's "small fast counter"): the same seed gives
 * the same numbers on every machine. Not for secrets.
 */
export interface Random {
  /** The next whole number in [0, 2³²). */
  next(): number;
  /** A whole number in [0, bound), for a bound of 1 to 2³². */
  below(bound: number): number;
}

/**
 * A generator for one stream (one tree, one sample) under a seed. Streams of one seed are independent of each other,
 * so that tree 7 is the same tree whoever grows it, and whenever.
 */
export function randomStream(seed: number, stream: number): Random {
  let mixer = mix32(seed | 0) ^ Math.imul(stream | 0, 0x9e3779b9);
  const draw = (): number => {
    mixer = (mixer + 0x9e3779b9) | 0;
    return mix32(mixer);
  };
  let a = draw();
  let b = draw();
  let c = mix32(Math.floor(seed / 2 ** 32) ^ draw());
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    c |= 0;
    return result >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  return { next, below: (bound) => Math.floor((next() / 2 ** 32) * bound) };
}

/** A seeded sample without replacement of `size` of the numbers 0 … total − 1, in ascending order (all, where size ≥ total). */
export function sampleIndices(total: number, size: number, random: Random): Uint32Array {
  const taken = Math.min(total, size);
  const sample = new Uint32Array(taken);
  // Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): one pass, already in order.
  let found = 0;
  for (let index = 0; found < taken; index++) {
    if (random.below(total - index) < taken - found) sample[found++] = index;
  }
  return sample;
}

function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}
