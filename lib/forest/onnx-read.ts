import { LakeletError } from '../errors.ts';
import type { ModelFeature } from './columns.ts';
import { TreeEnsemble } from './ensemble.ts';
import { type ModelDescription, readDescription } from './onnx-description.ts';
import {
  AGGREGATE,
  ATTRIBUTE,
  DESCRIPTION_KEY,
  GRAPH,
  LEAF_MODE,
  METADATA,
  MODEL,
  NODE,
  PRODUCER,
  SPLIT_MODE,
} from './onnx-schema.ts';
import { type Field, readFields, unreadable, VarintReader } from './protobuf-read.ts';
import type { Tree } from './tree.ts';

/**
 * The forest of a file that {@link toOnnx} wrote: equal to the one written, to the bit. Every number is checked, so
 * that a damaged file is refused and never leads a prediction astray or into an endless loop.
 * @throws LakeletError FOREST_MODEL_UNREADABLE for any other bytes, ONNX files of other makers included
 */
export function fromOnnx(bytes: Uint8Array): TreeEnsemble {
  let producer = '';
  let graph: Uint8Array | undefined;
  let description: ModelDescription | undefined;
  for (const field of readFields(bytes)) {
    if (field.number === MODEL.producerName) producer = textOf(field);
    if (field.number === MODEL.metadata) description = descriptionOf(blockOf(field)) ?? description;
    if (field.number === MODEL.graph) graph = blockOf(field);
  }
  if (producer !== PRODUCER) throw unreadable('it was not written by Lakelet');
  if (graph === undefined || description === undefined) throw unreadable('it is not complete');
  const { algorithm, features, importances, intervals } = description;
  const attributes = attributesOf(graph);
  const aggregate = attributes.get('aggregate_function');
  if (aggregate === undefined || textOf(only(aggregate, ATTRIBUTE.text)) !== AGGREGATE[algorithm])
    throw unreadable('its trees are put together in another way');
  const trees = readTrees(attributes, features);
  const base = baseOf(attributes);
  return new TreeEnsemble({
    algorithm,
    features,
    trees,
    importances,
    base,
    ...(intervals !== undefined && { intervals }),
  });
}

/** Whether bytes are of a file that {@link toOnnx} wrote, as far as its first fields tell; it may be damaged for all that. */
export function isOwnOnnx(bytes: Uint8Array): boolean {
  try {
    for (const field of readFields(bytes)) {
      if (field.number === MODEL.producerName) return textOf(field) === PRODUCER;
    }
    return false;
  } catch (error) {
    if (error instanceof LakeletError) return false;
    throw error;
  }
}

function descriptionOf(entry: Uint8Array): ModelDescription | undefined {
  const [key, value] = [METADATA.key, METADATA.value].map((number) => textOf(only(entry, number)));
  return key === DESCRIPTION_KEY ? readDescription(value ?? '') : undefined;
}

/** The attributes of the graph's only node, by name: each one's fields. */
function attributesOf(graph: Uint8Array): Map<string, Uint8Array> {
  const attributes = new Map<string, Uint8Array>();
  for (const field of readFields(blockOf(only(graph, GRAPH.node)))) {
    if (field.number !== NODE.attribute) continue;
    const attribute = blockOf(field);
    attributes.set(textOf(only(attribute, ATTRIBUTE.name)), attribute);
  }
  return attributes;
}

function baseOf(attributes: Map<string, Uint8Array>): number {
  const attribute = attributes.get('base_values');
  if (attribute === undefined) return 0;
  const [base, more] = floatsOf(attribute);
  if (base === undefined || more !== undefined || !Number.isFinite(base))
    throw unreadable('its base is not one number');
  return base;
}

function readTrees(attributes: Map<string, Uint8Array>, features: readonly ModelFeature[]): Tree[] {
  const attribute = (name: string): Uint8Array => {
    const found = attributes.get(name);
    if (found === undefined) throw unreadable(`its attribute ${name} is missing`);
    return found;
  };
  const threshold = floatsOf(attribute('nodes_values'));
  const count = threshold.length;
  const weights = floatsOf(attribute('target_weights'));
  const integers = (name: string, length: number): Int32Array => integersOf(attribute(name), length);
  const treeIds = integers('nodes_treeids', count);
  const nodeIds = integers('nodes_nodeids', count);
  const nodes: Nodes = {
    leaf: modesOf(attribute('nodes_modes'), count),
    feature: integers('nodes_featureids', count),
    threshold,
    left: integers('nodes_truenodeids', count),
    right: integers('nodes_falsenodeids', count),
    missingLeft: integers('nodes_missing_value_tracks_true', count),
    value: new Float32Array(count),
  };
  placeLeaves(
    nodes,
    treeIds,
    nodeIds,
    weights,
    integers('target_treeids', weights.length),
    integers('target_nodeids', weights.length),
  );
  const trees: Tree[] = [];
  for (let from = 0; from < count; ) {
    let to = from;
    while (to < count && treeIds[to] === trees.length) {
      if (nodeIds[to] !== to - from) throw unreadable('its nodes are out of order');
      to++;
    }
    if (to === from) throw unreadable('its trees are out of order');
    trees.push(treeOf(nodes, from, to, features.length));
    from = to;
  }
  if (trees.length === 0) throw unreadable('it has no trees');
  return trees;
}

interface Nodes {
  readonly leaf: Uint8Array;
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly missingLeft: Int32Array;
  readonly value: Float32Array;
}

/** Gives each leaf its value: there is one for each, in the leaves' order. */
function placeLeaves(
  nodes: Nodes,
  treeIds: Int32Array,
  nodeIds: Int32Array,
  weights: Float32Array,
  targetTrees: Int32Array,
  targetNodes: Int32Array,
): void {
  let next = 0;
  for (let at = 0; at < nodes.leaf.length; at++) {
    if (nodes.leaf[at] !== 1) continue;
    if (targetTrees[next] !== treeIds[at] || targetNodes[next] !== nodeIds[at]) throw unreadable('a leaf has no value');
    nodes.value[at] = weights[next++] ?? 0;
  }
  if (next !== weights.length) throw unreadable('it has values for nodes that are no leaves');
}

function treeOf(nodes: Nodes, from: number, to: number, width: number): Tree {
  const size = to - from;
  for (let at = from; at < to; at++) {
    const left = nodes.left[at] ?? 0;
    const feature = nodes.feature[at] ?? 0;
    const missing = nodes.missingLeft[at] ?? 0;
    const fits =
      nodes.leaf[at] === 1
        ? left === 0 && nodes.right[at] === 0
        : // Children come after their parent, so that every way down ends.
          left > at - from && left + 1 < size && nodes.right[at] === left + 1;
    if (!fits || feature >= width || missing > 1 || Number.isNaN(nodes.threshold[at])) {
      throw unreadable(`node ${at - from} of a tree is not sound`);
    }
  }
  return {
    feature: nodes.feature.slice(from, to),
    threshold: nodes.threshold.slice(from, to),
    left: nodes.left.slice(from, to),
    missingLeft: Uint8Array.from(nodes.missingLeft.subarray(from, to)),
    value: nodes.value.slice(from, to),
  };
}

function floatsOf(attribute: Uint8Array): Float32Array {
  const packed = blockOf(only(attribute, ATTRIBUTE.floats));
  if (packed.length % 4 !== 0) throw unreadable('a list of numbers is cut off');
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const values = new Float32Array(packed.length / 4);
  for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(i * 4, true);
  return values;
}

function integersOf(attribute: Uint8Array, length: number): Int32Array {
  const packed = new VarintReader(blockOf(only(attribute, ATTRIBUTE.integers)));
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const value = packed.next();
    if (value > 0x7fff_ffff) throw unreadable('it holds a number that is too large');
    values[i] = value;
  }
  if (!packed.done) throw unreadable('its lists differ in length');
  return values;
}

/** 1 for a leaf, 0 for a split. */
function modesOf(attribute: Uint8Array, length: number): Uint8Array {
  const leaves = new Uint8Array(length);
  let count = 0;
  for (const field of readFields(attribute)) {
    if (field.number !== ATTRIBUTE.texts) continue;
    const mode = textOf(field);
    if (mode !== LEAF_MODE && mode !== SPLIT_MODE) throw unreadable('it has nodes of another mode');
    leaves[count++] = mode === LEAF_MODE ? 1 : 0;
  }
  if (count !== length) throw unreadable('its lists differ in length');
  return leaves;
}

function only(message: Uint8Array, number: number): Field {
  const found = [];
  for (const field of readFields(message)) if (field.number === number) found.push(field);
  const [field] = found;
  if (field === undefined || found.length > 1) throw unreadable('it is not laid out as our files are');
  return field;
}

function blockOf(field: Field): Uint8Array {
  if (field.kind !== 'block') throw unreadable('it is not laid out as our files are');
  return field.value;
}

function textOf(field: Field): string {
  return new TextDecoder().decode(blockOf(field));
}
