/** Two-leaf trees boosted by trying every threshold on plain numbers; what they predict for their own rows. */
export function boostStumps(
  columns: readonly Float64Array[],
  target: Float64Array,
  weights: Float64Array,
  { rounds, rate, l2, minLeaf }: { rounds: number; rate: number; l2: number; minLeaf: number },
): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const base = Math.fround(target.reduce((sum, value, row) => sum + value * (weights[row] ?? 0), 0) / total);
  const predicted = new Float64Array(target.length).fill(base);
  for (let round = 0; round < rounds; round++) {
    const residual = target.map((value, row) => value - (predicted[row] ?? 0));
    const value = (rows: readonly number[]): number => {
      const weight = rows.reduce((sum, row) => sum + (weights[row] ?? 0), l2);
      return rows.reduce((sum, row) => sum + (residual[row] ?? 0) * (weights[row] ?? 0), 0) / weight;
    };
    const score = (rows: readonly number[]): number =>
      value(rows) ** 2 * rows.reduce((sum, row) => sum + (weights[row] ?? 0), l2);
    const all = Array.from(target, (_, row) => row);
    let best = { score: score(all) * (1 + 1e-9), leaves: [all] };
    for (const column of columns) {
      for (const cut of new Set(column)) {
        if (Number.isNaN(cut)) continue;
        for (const missingLeft of [false, true]) {
          const goesLeft = (row: number): boolean =>
            Number.isNaN(column[row]) ? missingLeft : (column[row] ?? 0) <= cut;
          const leaves = [all.filter(goesLeft), all.filter((row) => !goesLeft(row))];
          if (leaves.some(({ length }) => length < minLeaf)) continue;
          const found = leaves.reduce((sum, rows) => sum + score(rows), 0);
          if (found > best.score) best = { score: found, leaves };
        }
      }
    }
    for (const rows of best.leaves) {
      const step = Math.fround(rate * value(rows));
      for (const row of rows) predicted[row] = (predicted[row] ?? 0) + step;
    }
  }
  return predicted;
}
