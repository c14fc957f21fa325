import { compareKeys } from '../../../lib/storage/key.ts';

describe('compareKeys', () => {
  it('orders like the bytes of UTF-8, for every pair of awkward characters', () => {
    const characters = [
      '',
      '\u0001',
      ' ',
      '-',
      '/',
      '0',
      'A',
      'a',
      '\u007f',
      '\u0080',
      'é',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '🦆',
      '\u{10ffff}',
    ];
    const keys = characters.flatMap((a) => characters.map((b) => `x${a}${b}`));
    for (const a of keys) {
      for (const b of keys) expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }
  });
});
