"""Trains or builds models in Python, logs each to MLflow by its onnx flavor as champion, and prints what they predict for the
rows of the file that is named: { name: { "records": [...], "predictions": [...] } }."""

import json
import sys

import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

random = np.random.default_rng(7)
frame = pd.DataFrame(
    {
        "income": random.normal(50_000, 9_000, 3000),
        "age": random.integers(18, 90, 3000).astype(float),
        "hour": random.integers(0, 24, 3000).astype(float),
    }
)
target = frame["age"] * 3 + frame["income"] / 1000 + 20 * np.sin(frame["hour"] / 4) + random.normal(0, 1, 3000)


def model(graph):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def tensor(name, type, *shape):
    return helper.make_tensor_value_info(name, type, ["n", *shape])


def forest_graph(forest, width):
    """A forest of scikit-learn as the operator that converters make of it."""
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        for node in range(tree.node_count):
            leaf = tree.children_left[node] < 0
            # scikit-learn compares 32-bit floats with thresholds of 64 bits; rounding down keeps every answer.
            value = np.float32(tree.threshold[node])
            value = np.nextafter(value, np.float32(-np.inf)) if value > tree.threshold[node] else value
            for name, entry in (
                ("treeids", number),
                ("nodeids", node),
                ("featureids", 0 if leaf else int(tree.feature[node])),
                ("values", 0.0 if leaf else float(value)),
                ("modes", "LEAF" if leaf else "BRANCH_LEQ"),
                ("truenodeids", 0 if leaf else int(tree.children_left[node])),
                ("falsenodeids", 0 if leaf else int(tree.children_right[node])),
            ):
                nodes[name].append(entry)
            if leaf:
                for name, entry in (("treeids", number), ("nodeids", node), ("ids", 0)):
                    leaves[name].append(entry)
                leaves["weights"].append(float(tree.value[node][0][0]))
    operator = helper.make_node(
        "TreeEnsembleRegressor",
        ["X"],
        ["variable"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function="AVERAGE",
        **{f"nodes_{name}": values for name, values in nodes.items()},
        **{f"target_{name}": values for name, values in leaves.items()},
    )
    inputs, outputs = [tensor("X", TensorProto.FLOAT, width)], [tensor("variable", TensorProto.FLOAT, 1)]
    return helper.make_graph([operator], "forest", inputs, outputs)


def mixed_graph():
    """Columns of several types, each an input of its own."""
    nodes = [
        helper.make_node(
            "LabelEncoder",
            ["city"],
            ["city_number"],
            domain="ai.onnx.ml",
            keys_strings=["Bern", "Zug"],
            values_floats=[100.0, 200.0],
            default_float=0.0,
        ),
        helper.make_node("Cast", ["rooms"], ["rooms_number"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["garden"], ["garden_number"], to=TensorProto.FLOAT),
        helper.make_node("Sum", ["city_number", "rooms_number", "garden_number", "size"], ["price"]),
    ]
    types = {
        "size": TensorProto.FLOAT,
        "city": TensorProto.STRING,
        "rooms": TensorProto.INT64,
        "garden": TensorProto.BOOL,
    }
    inputs = [tensor(name, type) for name, type in types.items()]
    return helper.make_graph(nodes, "mixed", inputs, [tensor("price", TensorProto.FLOAT)])


def wide_graph(width):
    """Weights of more than a kilobyte, which log_model keeps in a file of their own."""
    weights = numpy_helper.from_array(random.normal(size=(width, 1)).astype(np.float32), "weights")
    node = helper.make_node("MatMul", ["X"] + ["weights"], ["y"])
    inputs, outputs = [tensor("X", TensorProto.FLOAT, width)], [tensor("y", TensorProto.FLOAT, 1)]
    return helper.make_graph([node], "wide", inputs, outputs, [weights])


def log(name, graph, example, rows, **options):
    onnx_model = model(graph)
    onnx.checker.check_model(onnx_model)
    output = np.zeros((len(example), 1), dtype=np.float32)
    signature = infer_signature(example, output)
    with mlflow.start_run():
        mlflow.onnx.log_model(onnx_model, name=name, signature=signature, registered_model_name=name, **options)
    client = MlflowClient()
    version = max(int(found.version) for found in client.search_model_versions(f"name='{name}'"))
    client.set_registered_model_alias(name, "champion", str(version))
    loaded = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    answer = loaded.predict(rows)
    values = answer.iloc[:, 0] if isinstance(answer, pd.DataFrame) else next(iter(answer.values()))
    return [float(value) for value in np.asarray(values).reshape(-1)]


def main():
    mlflow.set_experiment("served")
    told = {}
    rows = frame.head(500)
    forest = RandomForestRegressor(20, max_depth=8, random_state=1).fit(frame, target)
    predictions = log("sklearn-forest", forest_graph(forest, 3), frame.head(5), rows)
    assert np.allclose(predictions, forest.predict(rows), rtol=1e-5)
    told["sklearn-forest"] = {"records": rows.to_dict("records"), "predictions": predictions}

    linear = LinearRegression().fit(frame, target)
    weights = numpy_helper.from_array(linear.coef_.reshape(-1, 1).astype(np.float32), "weights")
    bias = numpy_helper.from_array(np.float32([linear.intercept_]), "bias")
    node = helper.make_node("Gemm", ["X", "weights", "bias"], ["variable"])
    graph = helper.make_graph(
        [node], "linear", [tensor("X", TensorProto.FLOAT, 3)], [tensor("variable", TensorProto.FLOAT, 1)], [weights, bias]
    )
    matrix = rows.to_numpy(dtype=np.float32)
    names = {"lakelet": {"features": list(frame.columns)}}
    predictions = log("linear-tensor", graph, matrix[:5], matrix, metadata=names)
    told["linear-tensor"] = {"records": rows.to_dict("records"), "predictions": predictions}

    houses = pd.DataFrame(
        {
            "garden": [True, False, True, False],
            "rooms": np.array([3, 4, 5, 6], dtype=np.int64),
            "city": ["Bern", "Zug", "Chur", "Zug"],
            "size": np.array([80.5, 90, 100, 110.25], dtype=np.float32),
        }
    )
    session = onnxruntime.InferenceSession(model(mixed_graph()).SerializeToString())
    feeds = {name: houses[name].to_numpy() for name in houses}
    feeds["city"] = feeds["city"].astype(object)
    predictions = [float(value) for value in session.run(None, feeds)[0]]
    logged = log("mixed-columns", mixed_graph(), houses, houses.astype({"city": object}))
    assert logged == predictions
    told["mixed-columns"] = {"records": houses.to_dict("records"), "predictions": predictions}

    wide = pd.DataFrame(random.normal(size=(20, 400)), columns=[f"x{at}" for at in range(400)])
    predictions = log("wide", wide_graph(400), wide, wide)
    told["wide"] = {"records": wide.to_dict("records"), "predictions": predictions}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(told, file)


main()
