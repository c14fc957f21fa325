"""Writes the ONNX model of one tree over three features: 12.25 where the second is at most 0.5 or missing, else 99.5."""

import sys

import onnx
from onnx import TensorProto, helper

tree = helper.make_node(
    "TreeEnsembleRegressor",
    ["features"],
    ["prediction"],
    domain="ai.onnx.ml",
    n_targets=1,
    aggregate_function="SUM",
    nodes_treeids=[0, 0, 0],
    nodes_nodeids=[0, 1, 2],
    nodes_featureids=[1, 0, 0],
    nodes_values=[0.5, 0.0, 0.0],
    nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
    nodes_truenodeids=[1, 0, 0],
    nodes_falsenodeids=[2, 0, 0],
    nodes_missing_value_tracks_true=[1, 0, 0],
    nodes_hitrates=[1.0, 1.0, 1.0],
    target_treeids=[0, 0],
    target_nodeids=[1, 2],
    target_ids=[0, 0],
    target_weights=[12.25, 99.5],
)
graph = helper.make_graph(
    [tree],
    "tree",
    [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 3])],
    [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.checker.check_model(model)
with open(sys.argv[1], "wb") as file:
    file.write(model.SerializeToString())
