"""Predicts the rows of a file with models:/NAME@champion and prints the predictions as JSON: predict.py NAME ROWS.json"""

import json
import sys

import mlflow
import pandas

rows = json.load(open(sys.argv[2]))
frame = pandas.DataFrame(rows["data"], columns=rows["columns"], dtype=float)
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[1]}@champion")
print(json.dumps(model.predict(frame)["prediction"].tolist()))
