"""Loads models:/purchase-amount@champion as a user of Python does, and prints what it gives as JSON: champion.py

The server is that of MLFLOW_TRACKING_URI; nothing else of the environment leads to the bucket.
"""

import json

import mlflow

folder = mlflow.artifacts.download_artifacts("models:/purchase-amount@champion")
model = mlflow.pyfunc.load_model("models:/purchase-amount@champion")
example = mlflow.models.Model.load(folder).load_input_example(folder)
run = mlflow.get_run(model.metadata.run_id)
print(
    json.dumps(
        {
            "predictions": [float(value) for value in model.predict(example)["prediction"]],
            "rmse": run.data.metrics["rmse"],
            "source": mlflow.data.get_source(run.inputs.dataset_inputs[0].dataset).to_dict()["path"],
        }
    )
)
