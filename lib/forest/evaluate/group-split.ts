import { LakeletError } from '../../errors.ts';
import { columnLength, type FeatureColumn } from '../columns.ts';
import { checkShare, type RowSplit, splitWhere } from '../rows.ts';

/**
 * Holds out about a share of the groups with all of their rows, so that no group (a customer, a shop) stands on both
 * sides. A hash of the group and the seed decides, so a group stays on its side however the table grows, and whichever
 * other groups it holds. Rows without a group are learnt from. Should the hash put all groups on one side, the one
 * nearest to the other crosses.
 * @throws LakeletError FOREST_INVALID_DATA where there are no two groups, FOREST_INVALID_OPTION for a share outside (0, 1)
 */
export function splitByGroup(groups: FeatureColumn, heldOutShare: number, seed: number): RowSplit {
  checkShare(heldOutShare);
  const { groupOf, names } = numberGroups(groups);
  const hashes = names.map((name) => hashOf(name, seed));
  const sides = hashes.map((hash) => hash < heldOutShare);
  if (names.length < 2) throw tooFew(names.length, 2);
  if (!sides.includes(true)) sides[placeOfLeast(hashes)] = true;
  else if (!sides.includes(false)) sides[placeOfLeast(hashes.map((hash) => -hash))] = false;
  return splitWhere(groupOf.length, (row) => sides[groupOf[row] ?? -1] === true);
}

/**
 * Folds of whole groups: each group's rows are held out of one fold and learnt from in the others. The largest groups
 * are dealt first, each to the fold that has the fewest rows, so the folds have about one size. Rows without a group are
 * learnt from in every fold.
 * @throws LakeletError FOREST_INVALID_DATA for fewer groups than folds, FOREST_INVALID_OPTION for less than 2 folds
 */
export function foldByGroup(groups: FeatureColumn, folds: number, seed: number): RowSplit[] {
  if (!Number.isInteger(folds) || folds < 2) {
    throw new LakeletError('FOREST_INVALID_OPTION', `The number of folds is ${String(folds)}; give 2 or more.`);
  }
  const { groupOf, names } = numberGroups(groups);
  if (names.length < folds) throw tooFew(names.length, folds);
  const sizes = new Float64Array(names.length);
  for (const group of groupOf) if (group >= 0) sizes[group] = (sizes[group] ?? 0) + 1;
  const hashes = names.map((name) => hashOf(name, seed));
  const order = Uint32Array.from(names, (_, group) => group).sort(
    (a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || (hashes[a] ?? 0) - (hashes[b] ?? 0) || a - b,
  );
  const filled = new Array<number>(folds).fill(0);
  const foldOf = new Int32Array(names.length);
  for (const group of order) {
    const fold = filled.indexOf(Math.min(...filled));
    foldOf[group] = fold;
    filled[fold] = (filled[fold] ?? 0) + (sizes[group] ?? 0);
  }
  return filled.map((_, fold) => splitWhere(groupOf.length, (row) => foldOf[groupOf[row] ?? -1] === fold));
}

/** The groups that occur, by the order of their first rows, and each row's group, −1 for none. */
function numberGroups(groups: FeatureColumn): { groupOf: Int32Array; names: string[] } {
  const groupOf = new Int32Array(columnLength(groups)).fill(-1);
  const numbers = new Map<number, number>();
  const names: string[] = [];
  const values = groups.kind === 'numeric' ? groups.values : groups.codes;
  for (let row = 0; row < groupOf.length; row++) {
    const value = values[row] ?? Number.NaN;
    if (Number.isNaN(value) || (groups.kind === 'categorical' && value < 0)) continue;
    let number = numbers.get(value);
    if (number === undefined) {
      number = names.length;
      numbers.set(value, number);
      names.push(groups.kind === 'numeric' ? String(value) : (groups.categories[value] ?? ''));
    }
    groupOf[row] = number;
  }
  return { groupOf, names };
}

/** A text and a seed as a number in [0, 1): FNV-1a over the text's 16-bit units, its bits then mixed by murmur3's finish. */
function hashOf(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed | 0, 0x9e3779b9) ^ Math.floor(seed / 2 ** 32);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function placeOfLeast(values: readonly number[]): number {
  return values.reduce((least, value, at) => (value < (values[least] ?? 0) ? at : least), 0);
}

function tooFew(groups: number, needed: number): LakeletError {
  return new LakeletError(
    'FOREST_INVALID_DATA',
    `There are ${groups} groups where ${needed} are needed; split at random, or give another column.`,
  );
}
