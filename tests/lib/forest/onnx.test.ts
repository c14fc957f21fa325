import { createHash } from 'node:crypto';
import { fromOnnx, TreeEnsemble, toOnnx, trainForest } from '../../../lib/forest/index.ts';
import { randomStream } from '../../../lib/forest/random.ts';
import { categorical, exampleData } from './example.ts';

const UNREADABLE = expect.objectContaining({ name: 'LakeletError', code: 'FOREST_MODEL_UNREADABLE' });

let forest: TreeEnsemble;
let bytes: Uint8Array;
beforeAll(async () => {
  forest = await trainForest(exampleData(300), { nEstimators: 5, maxDepth: 6 });
  bytes = toOnnx(forest);
});

/** The file with the first occurrence of a text replaced by another of the same length. */
function edited(from: string, to: string): Uint8Array {
  const file = Buffer.from(bytes);
  const at = file.indexOf(from);
  if (at < 0 || from.length !== to.length) throw new Error(`can't put ${to} in place of ${from}`);
  file.write(to, at);
  return file;
}

describe('an ONNX file of a forest', () => {
  it('is read back as the same forest', () => {
    expect(fromOnnx(bytes)).toEqual(forest);
    expect(Buffer.from(toOnnx(fromOnnx(bytes))).equals(Buffer.from(bytes))).toBe(true);
  });

  it('is read from the middle of a larger buffer', () => {
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 5);
    expect(fromOnnx(larger.subarray(5, 5 + bytes.length))).toEqual(forest);
  });

  it('keeps names and categories of any text', async () => {
    const column = { ...categorical('c', [0, 1], 2), name: 'é "1"\n🙂', categories: ['', '\u2028\\'] };
    const odd = await trainForest({ columns: [column], target: Float64Array.of(1, 2) });
    expect(fromOnnx(toOnnx(odd)).features).toEqual(odd.features);
  });

  it('is the same on every machine', () => {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      'ed78da301ba25b0dc54341756d520bf536e29b8cd058218ff78c6d92c6a60265',
    );
  });

  it('is refused to a forest that no such file could hold', () => {
    const nodes = 9_000_000;
    const tree = {
      feature: new Int32Array(),
      threshold: new Float32Array(),
      left: new Int32Array(nodes),
      missingLeft: new Uint8Array(),
      value: new Float32Array(),
    };
    const huge = new TreeEnsemble({
      algorithm: 'forest',
      features: forest.features,
      trees: new Array(5).fill(tree),
      importances: [],
    });
    expect(() => toOnnx(huge)).toThrow(expect.objectContaining({ code: 'FOREST_MODEL_TOO_LARGE' }));
  });

  it('is refused where it is cut off at any byte', () => {
    for (let length = 0; length < bytes.length; length += length < 500 ? 1 : 97) {
      expect(() => fromOnnx(bytes.subarray(0, length))).toThrow(UNREADABLE);
    }
  });

  it('is refused, or still predicts, where bytes are changed: nothing else is thrown, and nothing hangs', () => {
    const random = randomStream(4, 4);
    const row = new Float32Array(forest.features.length);
    for (let round = 0; round < 1500; round++) {
      const damaged = bytes.slice();
      for (let change = 0; change <= round % 3; change++) damaged[random.below(bytes.length)] = random.below(256);
      try {
        expect(fromOnnx(damaged).predictMatrix(row)).toHaveLength(1);
      } catch (error) {
        expect(error).toEqual(UNREADABLE);
      }
    }
  });

  it.each<[string, () => Uint8Array, string]>([
    ['text', () => Buffer.from('not a model at all'), "can't be read"],
    ['of another maker', () => edited('lakelet', 'skl2onx'), 'not written by Lakelet'],
    ['of another format', () => edited('"format":2', '"format":3'), 'its format is not 2'],
    ['with other features', () => edited('"kind":"numeric"', '"kind":"nothing"'), 'neither numeric nor categorical'],
    ['without an attribute', () => edited('nodes_values', 'other_values'), 'nodes_values is missing'],
    ['without its description', () => edited('lakelet.forest', 'lakelet.desert'), 'not complete'],
    ['with nodes of other modes', () => edited('BRANCH_LEQ', 'BRANCH_GTE'), 'nodes of another mode'],
  ])('is refused where it is %s', (_, file, message) => {
    expect(() => fromOnnx(file())).toThrow(UNREADABLE);
    expect(() => fromOnnx(file())).toThrow(message);
  });
});
