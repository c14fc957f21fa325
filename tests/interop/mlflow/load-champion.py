"""Loads models:/purchase-amount@champion from the server given and prints as JSON what a user of Python gets."""

import json
import sys

import mlflow
import numpy
import pandas

mlflow.set_tracking_uri(sys.argv[1])
folder = mlflow.artifacts.download_artifacts("models:/purchase-amount@champion")
model = mlflow.pyfunc.load_model("models:/purchase-amount@champion")
names = model.metadata.get_input_schema().input_names()
rows = pandas.DataFrame([[1, 0.25, 0], [1, 0.75, 1], [2, numpy.nan, 0]], columns=names, dtype=float)


def predict(data):
    return model.predict(data)["prediction"].tolist()


example = mlflow.models.Model.load(folder).load_input_example(folder)
run = mlflow.get_run(model.metadata.run_id)
dataset = run.inputs.dataset_inputs[0].dataset
print(
    json.dumps(
        {
            "names": names,
            "types": [str(column.type) for column in model.metadata.get_input_schema().inputs],
            "outputs": model.metadata.get_output_schema().to_dict(),
            "float64": predict(rows),
            "float32": predict(rows.astype("float32")),
            "reordered": predict(rows[names[::-1]].assign(other="text")),
            "records": predict(rows.to_dict("records")),
            "example": predict(example),
            "features": model.metadata.metadata["lakelet"]["features"],
            "source": mlflow.data.get_source(dataset).to_dict(),
            "metrics": run.data.metrics,
        }
    )
)
