import { createHash } from 'node:crypto';
import { BLOCK_ROWS, type Block, UNKNOWN } from '../../../datasets/purchases/block.ts';
import { calendar } from '../../../datasets/purchases/clock.ts';
import { drawBlock } from '../../../datasets/purchases/draw.ts';

const CITIES = 48;

/** A digest of all of a block's values, bit by bit. */
function digest(block: Block): string {
  const hash = createHash('sha256');
  for (const column of Object.values(block)) {
    if (ArrayBuffer.isView(column)) hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex');
}

describe('a block', () => {
  it('is the same for its seed and number for ever', () => {
    expect(digest(drawBlock(42, 0, BLOCK_ROWS, CITIES))).toBe(
      '78f4f4b8e1878d1b8f41e36334b24002680145396a197e50a161b3b32cdd42ad',
    );
    expect(digest(drawBlock(42, 7, BLOCK_ROWS, CITIES))).toBe(
      '0f547091e584773a329ac156d132840548978b3656731f1e886b0022d914cb15',
    );
    expect(digest(drawBlock(2 ** 40 + 42, 0, BLOCK_ROWS, CITIES))).toBe(
      '8a1869add44f083d6e0388c6f8495983ed12fa219cf8c1bbb24a6d1f4da44d4c',
    );
  });

  it('needs nothing of the blocks before it', () => {
    const alone = digest(drawBlock(1, 5, BLOCK_ROWS, CITIES));
    for (const block of [0, 4, 6]) drawBlock(1, block, BLOCK_ROWS, CITIES);
    expect(digest(drawBlock(1, 5, BLOCK_ROWS, CITIES))).toBe(alone);
  });

  it('differs from any other by seed and by number', () => {
    const digests = [1, 2, 2 ** 32 + 1].flatMap((seed) =>
      [0, 1, 2].map((block) => digest(drawBlock(seed, block, BLOCK_ROWS, CITIES))),
    );
    expect(new Set(digests).size).toBe(9);
  });

  it('that is shorter starts as the whole one does', () => {
    const part = drawBlock(3, 2, 700, CITIES);
    const whole = drawBlock(3, 2, BLOCK_ROWS, CITIES);
    expect(part.count).toBe(700);
    expect(part.amount).toEqual(whole.amount.slice(0, 700));
    expect(part.purchase).toEqual(whole.purchase.slice(0, 700));
    expect(part.updatedAt).toEqual(whole.updatedAt.slice(0, 700));
  });

  it('holds purchases of its own numbers, customers and time alone', () => {
    const block = drawBlock(3, 2, BLOCK_ROWS, CITIES);
    expect(block.first).toBe(2 * BLOCK_ROWS);
    for (let at = 0; at < block.count; at++) {
      const purchase = block.purchase[at] ?? -1;
      expect(purchase >= block.first && purchase <= block.first + at).toBe(true);
      expect(block.purchasedAt[at]).toBeGreaterThanOrEqual(calendar.start);
      expect(block.updatedAt[at]).toBeGreaterThanOrEqual(block.purchasedAt[at] ?? Number.NaN);
      const city = block.city[at] ?? Number.NaN;
      expect(city === UNKNOWN || (city >= 0 && city < CITIES)).toBe(true);
    }
  });

  it('delivers the same purchase again with the same customer and time', () => {
    const block = drawBlock(3, 2, BLOCK_ROWS, CITIES);
    let again = 0;
    for (let at = 0; at < block.count; at++) {
      const of = (block.purchase[at] ?? 0) - block.first;
      if (of === at) continue;
      again++;
      expect(block.customer[at]).toBe(block.customer[of]);
      expect(block.purchasedAt[at]).toBe(block.purchasedAt[of]);
      expect(block.updatedAt[at]).toBeGreaterThanOrEqual(block.updatedAt[of] ?? Number.NaN);
    }
    expect(again).toBeGreaterThan(0);
  });
});
