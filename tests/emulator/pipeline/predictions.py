"""Scores silver's purchases with models:/purchase-amount@champion as a user of Python does: predictions.py URI ROWS

The table is read from S3 with delta-rs, the model from the server of MLFLOW_TRACKING_URI. Prints one JSON object: the
records as they are in the table, and a prediction for each.
"""

import json
import os
import sys

import mlflow
import pandas
from deltalake import DeltaTable, QueryBuilder

OPTIONS = {"aws_allow_http": "true", "aws_virtual_hosted_style_request": "false"}

uri, rows = sys.argv[1], int(sys.argv[2])
model = mlflow.pyfunc.load_model("models:/purchase-amount@champion")
features = model.metadata.metadata["lakelet"]["features"]
columns = ", ".join(feature["name"] for feature in features)
table = DeltaTable(uri, storage_options={**OPTIONS, "aws_endpoint": os.environ["AWS_ENDPOINT_URL_S3"]})
query = f"SELECT {columns} FROM silver ORDER BY purchase_id LIMIT {rows}"
records = QueryBuilder().register("silver", table).execute(query).read_all()
values = {}
for feature in features:
    column = [value.as_py() for value in records[feature["name"]]]
    if feature["kind"] == "categorical":
        codes = {category: code for code, category in enumerate(feature["categories"])}
        column = [codes.get(value) for value in column]
    values[feature["name"]] = pandas.Series(column, dtype="float64")
names = [feature["name"] for feature in features]
print(
    json.dumps(
        {
            "records": [
                dict(zip(names, row)) for row in zip(*([value.as_py() for value in records[name]] for name in names))
            ],
            "predictions": model.predict(pandas.DataFrame(values))["prediction"].tolist(),
        }
    )
)
