import { LakeletError } from '../errors.ts';
import type { TreeEnsemble } from './ensemble.ts';
import {
  AGGREGATE,
  ATTRIBUTE,
  ATTRIBUTE_TYPE,
  DESCRIPTION_KEY,
  DIMENSION,
  FLOAT_ELEMENT,
  FORMAT,
  GRAPH,
  LEAF_MODE,
  METADATA,
  MODEL,
  NODE,
  OPERATOR,
  OPSET,
  PRODUCER,
  SHAPE,
  SPLIT_MODE,
  TENSOR,
  TYPE,
  VALUE,
} from './onnx-schema.ts';
import { MessageWriter } from './protobuf-write.ts';
import type { Tree } from './tree.ts';

/** Protocol Buffers carry less than 2 GiB a message; at most 50 bytes a node are written here. */
const MAX_NODES = 40_000_000;

/** One number a node, or a leaf, of a tree. */
type Column<Values> = (tree: Tree, treeNumber: number) => Values;
type Integers = Int32Array | Uint8Array;

/**
 * The forest as an ONNX file: one `TreeEnsembleRegressor` of ai.onnx.ml 3
 * (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html) that takes the model's input matrix as
 * `features`, float32 [n, features], and gives `prediction`, float32 [n, 1]. A category is its code, a missing value
 * NaN, as `encodeColumns` makes them. Names, categories, importances and intervals are in the
 * file's metadata as JSON.
 * @throws LakeletError FOREST_MODEL_TOO_LARGE for more than 40,000,000 nodes, which no ONNX file could hold
 */
export function toOnnx(forest: TreeEnsemble): Uint8Array {
  if (forest.nodes > MAX_NODES) {
    throw new LakeletError(
      'FOREST_MODEL_TOO_LARGE',
      `The forest has ${forest.nodes} nodes, and an ONNX file takes ${MAX_NODES}; train with a smaller maxDepth or a larger minSamplesLeaf.`,
    );
  }
  const graph = new MessageWriter()
    .message(GRAPH.node, ensembleNode(forest))
    .text(GRAPH.name, forest.algorithm)
    .message(GRAPH.input, floatMatrix('features', forest.features.length))
    .message(GRAPH.output, floatMatrix('prediction', 1));
  const description = {
    format: FORMAT,
    algorithm: forest.algorithm,
    features: forest.features,
    importances: forest.importances.map(({ importance }) => importance),
    intervals: forest.intervals,
  };
  return new MessageWriter()
    .integer(MODEL.irVersion, 8)
    .text(MODEL.producerName, PRODUCER)
    .message(MODEL.opsetImport, new MessageWriter().text(OPSET.domain, 'ai.onnx.ml').integer(OPSET.version, 3))
    .message(MODEL.opsetImport, new MessageWriter().text(OPSET.domain, '').integer(OPSET.version, 17))
    .message(
      MODEL.metadata,
      new MessageWriter().text(METADATA.key, DESCRIPTION_KEY).text(METADATA.value, JSON.stringify(description)),
    )
    .message(MODEL.graph, graph)
    .finish()
    .slice();
}

function ensembleNode({ algorithm, trees, base }: TreeEnsemble): MessageWriter {
  const node = new MessageWriter()
    .text(NODE.input, 'features')
    .text(NODE.output, 'prediction')
    .text(NODE.name, algorithm)
    .text(NODE.opType, OPERATOR)
    .text(NODE.domain, 'ai.onnx.ml');
  const integers = (name: string, column: Column<Integers>): unknown =>
    node.message(NODE.attribute, integerAttribute(trees, name, column));
  const floats = (name: string, column: Column<Float32Array>): unknown =>
    node.message(NODE.attribute, floatAttribute(trees, name, column));
  integers('nodes_treeids', ({ left }, number) => new Int32Array(left.length).fill(number));
  integers('nodes_nodeids', ({ left }) => left.map((_, id) => id));
  integers('nodes_featureids', ({ feature }) => feature);
  integers('nodes_truenodeids', ({ left }) => left);
  integers('nodes_falsenodeids', ({ left }) => left.map((child) => (child === 0 ? 0 : child + 1)));
  integers('nodes_missing_value_tracks_true', ({ missingLeft }) => missingLeft);
  floats('nodes_values', ({ threshold }) => threshold);
  node.message(NODE.attribute, modes(trees));
  integers('target_treeids', (tree, number) => leavesOf(tree).fill(number));
  integers('target_nodeids', leavesOf);
  integers('target_ids', (tree) => leavesOf(tree).fill(0));
  floats('target_weights', (tree) => Float32Array.from(leavesOf(tree), (id) => tree.value[id] ?? 0));
  node.message(NODE.attribute, attribute('n_targets', ATTRIBUTE_TYPE.integer).integer(ATTRIBUTE.integer, 1));
  node.message(
    NODE.attribute,
    attribute('aggregate_function', ATTRIBUTE_TYPE.text).text(ATTRIBUTE.text, AGGREGATE[algorithm]),
  );
  if (base !== 0) {
    const packed = new MessageWriter();
    packed.packedFloats(Float32Array.of(base));
    node.message(NODE.attribute, attribute('base_values', ATTRIBUTE_TYPE.floats).message(ATTRIBUTE.floats, packed));
  }
  return node;
}

function attribute(name: string, type: number): MessageWriter {
  return new MessageWriter().text(ATTRIBUTE.name, name).integer(ATTRIBUTE.type, type);
}

function integerAttribute(trees: readonly Tree[], name: string, column: Column<Integers>): MessageWriter {
  const packed = new MessageWriter();
  trees.forEach((tree, number) => {
    packed.packedIntegers(column(tree, number));
  });
  return attribute(name, ATTRIBUTE_TYPE.integers).message(ATTRIBUTE.integers, packed);
}

function floatAttribute(trees: readonly Tree[], name: string, column: Column<Float32Array>): MessageWriter {
  const packed = new MessageWriter();
  trees.forEach((tree, number) => {
    packed.packedFloats(column(tree, number));
  });
  return attribute(name, ATTRIBUTE_TYPE.floats).message(ATTRIBUTE.floats, packed);
}

function modes(trees: readonly Tree[]): MessageWriter {
  const message = attribute('nodes_modes', ATTRIBUTE_TYPE.texts);
  const split = new TextEncoder().encode(SPLIT_MODE);
  const leaf = new TextEncoder().encode(LEAF_MODE);
  for (const { left } of trees) {
    for (let id = 0; id < left.length; id++) message.block(ATTRIBUTE.texts, left[id] === 0 ? leaf : split);
  }
  return message;
}

/** The numbers of a tree's leaves. */
function leavesOf({ left }: Tree): Int32Array {
  const leaves = new Int32Array(left.length);
  let count = 0;
  for (let id = 0; id < left.length; id++) if (left[id] === 0) leaves[count++] = id;
  return leaves.subarray(0, count);
}

function floatMatrix(name: string, width: number): MessageWriter {
  const shape = new MessageWriter()
    .message(SHAPE.dimension, new MessageWriter().text(DIMENSION.parameter, 'n'))
    .message(SHAPE.dimension, new MessageWriter().integer(DIMENSION.value, width));
  const tensor = new MessageWriter().integer(TENSOR.elementType, FLOAT_ELEMENT).message(TENSOR.shape, shape);
  return new MessageWriter()
    .text(VALUE.name, name)
    .message(VALUE.type, new MessageWriter().message(TYPE.tensor, tensor));
}
