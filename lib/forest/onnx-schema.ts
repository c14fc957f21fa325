/**
 * The numbers of the fields that a model file uses, as onnx.proto names them
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */
export const MODEL = { irVersion: 1, producerName: 2, graph: 7, opsetImport: 8, metadata: 14 } as const;
export const OPSET = { domain: 1, version: 2 } as const;
export const METADATA = { key: 1, value: 2 } as const;
export const GRAPH = { node: 1, name: 2, input: 11, output: 12 } as const;
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = { name: 1, integer: 3, text: 4, floats: 7, integers: 8, texts: 9, type: 20 } as const;
export const ATTRIBUTE_TYPE = { integer: 2, text: 3, floats: 6, integers: 7, texts: 8 } as const;
export const VALUE = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1 } as const;
export const TENSOR = { elementType: 1, shape: 2 } as const;
export const SHAPE = { dimension: 1 } as const;
export const DIMENSION = { value: 1, parameter: 2 } as const;
export const FLOAT_ELEMENT = 1;

export const PRODUCER = 'lakelet';
export const OPERATOR = 'TreeEnsembleRegressor';
/** The entry of the file's metadata that holds the features and importances as JSON. */
export const DESCRIPTION_KEY = 'lakelet.forest';
/** Goes up when a file of the present code could not be read by the code before. */
export const FORMAT = 2;

/** `nodes_modes`: a split sends a row to its true branch where x ≤ the node's value. */
export const SPLIT_MODE = 'BRANCH_LEQ';
export const LEAF_MODE = 'LEAF';

/** `aggregate_function`: what becomes of the trees' leaves. */
export const AGGREGATE = { forest: 'AVERAGE', boosting: 'SUM' } as const;
