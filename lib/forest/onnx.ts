import { LakeletError } from '../errors.ts';
import type { Forest } from './forest.ts';
import {
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

/** A number of one node. */
type Pick = (tree: Tree, node: number, treeNumber: number) => number;

/**
 * The forest as an ONNX file: one `TreeEnsembleRegressor` of ai.onnx.ml 3
 * (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html) that takes the model's input matrix as
 * `features`, float32 [n, features], and gives `prediction`, float32 [n, 1]. A category is its code, a missing value
 * NaN, as `encodeColumns` makes them. Names, categories and importances are in the file's metadata as JSON.
 * @throws LakeletError FOREST_MODEL_TOO_LARGE for more than 40,000,000 nodes, which no ONNX file could hold
 */
export function toOnnx(forest: Forest): Uint8Array {
  if (forest.nodes > MAX_NODES) {
    throw new LakeletError(
      'FOREST_MODEL_TOO_LARGE',
      `The forest has ${forest.nodes} nodes, and an ONNX file takes ${MAX_NODES}; train with a smaller maxDepth or a larger minSamplesLeaf.`,
    );
  }
  const graph = new MessageWriter()
    .message(GRAPH.node, ensemble(forest.trees))
    .text(GRAPH.name, 'random forest')
    .message(GRAPH.input, floatMatrix('features', forest.features.length))
    .message(GRAPH.output, floatMatrix('prediction', 1));
  const description = {
    format: FORMAT,
    features: forest.features,
    importances: forest.importances.map(({ importance }) => importance),
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

function ensemble(trees: readonly Tree[]): MessageWriter {
  const node = new MessageWriter()
    .text(NODE.input, 'features')
    .text(NODE.output, 'prediction')
    .text(NODE.name, 'forest')
    .text(NODE.opType, OPERATOR)
    .text(NODE.domain, 'ai.onnx.ml');
  const isLeaf = (tree: Tree, id: number): boolean => tree.left[id] === 0;
  const treeId: Pick = (_tree, _id, number) => number;
  const nodeId: Pick = (_tree, id) => id;
  const integers = (name: string, pick: Pick): unknown => node.message(NODE.attribute, numbers(trees, name, pick));
  integers('nodes_treeids', treeId);
  integers('nodes_nodeids', nodeId);
  integers('nodes_featureids', (tree, id) => tree.feature[id] ?? 0);
  integers('nodes_truenodeids', (tree, id) => tree.left[id] ?? 0);
  integers('nodes_falsenodeids', (tree, id) => (isLeaf(tree, id) ? 0 : (tree.left[id] ?? 0) + 1));
  integers('nodes_missing_value_tracks_true', (tree, id) => tree.missingLeft[id] ?? 0);
  node.message(
    NODE.attribute,
    floats(trees, 'nodes_values', (tree, id) => tree.threshold[id] ?? 0),
  );
  node.message(NODE.attribute, modes(trees, isLeaf));
  node.message(NODE.attribute, numbers(trees, 'target_treeids', treeId, isLeaf));
  node.message(NODE.attribute, numbers(trees, 'target_nodeids', nodeId, isLeaf));
  node.message(
    NODE.attribute,
    numbers(trees, 'target_ids', () => 0, isLeaf),
  );
  node.message(
    NODE.attribute,
    floats(trees, 'target_weights', (tree, id) => tree.value[id] ?? 0, isLeaf),
  );
  node.message(NODE.attribute, attribute('n_targets', ATTRIBUTE_TYPE.integer).integer(ATTRIBUTE.integer, 1));
  node.message(NODE.attribute, attribute('aggregate_function', ATTRIBUTE_TYPE.text).text(ATTRIBUTE.text, 'AVERAGE'));
  return node;
}

function attribute(name: string, type: number): MessageWriter {
  return new MessageWriter().text(ATTRIBUTE.name, name).integer(ATTRIBUTE.type, type);
}

function numbers(
  trees: readonly Tree[],
  name: string,
  pick: Pick,
  where?: (tree: Tree, id: number) => boolean,
): MessageWriter {
  const packed = new MessageWriter();
  eachNode(trees, where, (tree, id, number) => packed.packedInteger(pick(tree, id, number)));
  return attribute(name, ATTRIBUTE_TYPE.integers).message(ATTRIBUTE.integers, packed);
}

function floats(
  trees: readonly Tree[],
  name: string,
  pick: Pick,
  where?: (tree: Tree, id: number) => boolean,
): MessageWriter {
  const packed = new MessageWriter();
  eachNode(trees, where, (tree, id, number) => packed.packedFloat(pick(tree, id, number)));
  return attribute(name, ATTRIBUTE_TYPE.floats).message(ATTRIBUTE.floats, packed);
}

function modes(trees: readonly Tree[], isLeaf: (tree: Tree, id: number) => boolean): MessageWriter {
  const message = attribute('nodes_modes', ATTRIBUTE_TYPE.texts);
  const split = new TextEncoder().encode(SPLIT_MODE);
  const leaf = new TextEncoder().encode(LEAF_MODE);
  eachNode(trees, undefined, (tree, id) => message.block(ATTRIBUTE.texts, isLeaf(tree, id) ? leaf : split));
  return message;
}

function eachNode(
  trees: readonly Tree[],
  where: ((tree: Tree, id: number) => boolean) | undefined,
  visit: (tree: Tree, id: number, treeNumber: number) => void,
): void {
  trees.forEach((tree, number) => {
    for (let id = 0; id < tree.left.length; id++) if (where === undefined || where(tree, id)) visit(tree, id, number);
  });
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
