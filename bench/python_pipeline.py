"""The pipeline's job in Python: DuckDB, delta-rs and scikit-learn, over the same rows and the same SQL.

Reads one job (JSON) from standard input, prints seconds a step, R2 and the peak of its memory as one JSON object. The
rows that bronze lands are read, and the packages imported, before the clock starts. Where the job names an MLflow server,
the training is logged there as its users do: parameters, metrics, the dataset, and the model with its signature and an
input example, registered under an alias.
"""
import contextlib
import json
import logging
import resource
import sys
import time
import warnings

import duckdb
import numpy as np
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

job = json.load(sys.stdin)
if job.get("mlflow"):
    import mlflow

    logging.getLogger("mlflow").setLevel(logging.ERROR)
root = job["root"]
seconds = {}


class Step:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, *_):
        seconds[self.name] = time.perf_counter() - self.start


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def log_training(silver_version):
    mlflow.set_tracking_uri(job["mlflow"])
    mlflow.set_experiment("bench-python")
    with mlflow.start_run():
        mlflow.log_params({"n_estimators": job["trees"], "max_depth": job["depth"], "max_features": 1 / 3})
        mae, mse = mean_absolute_error(held_out[target], predicted), mean_squared_error(held_out[target], predicted)
        mlflow.log_metrics({"r2": r2, "mae": mae, "rmse": mse**0.5})
        source = mlflow.data.delta_dataset_source.DeltaDatasetSource(
            path=f"{root}/silver", delta_table_version=silver_version
        )
        mlflow.log_input(mlflow.data.from_pandas(learn, source=source, name="silver", targets=target), "training")
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            # The default format refuses forests that are not called trusted, and is slower.
            serialization_format="cloudpickle",
            signature=mlflow.models.infer_signature(learn[features], predicted),
            input_example=learn[features].head(5),
            registered_model_name="bench-python",
        )
        client = mlflow.MlflowClient()
        client.set_registered_model_alias("bench-python", "champion", logged.registered_model_version)


delivered = pq.read_table(job["bronze"])
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
begin = time.perf_counter()

with Step("bronze"):
    write_deltalake(f"{root}/bronze", delivered, mode="append")

with Step("silver"):
    con.register("bronze", DeltaTable(f"{root}/bronze").to_pyarrow_dataset())
    con.execute(job["split"])
    write_deltalake(f"{root}/quarantine", con.sql("SELECT * FROM quarantined").to_arrow_table(), mode="overwrite")
    write_deltalake(f"{root}/silver", con.sql(read(job["silver"])).to_arrow_table(), mode="overwrite")

with Step("aggregates"):
    con.register("silver", DeltaTable(f"{root}/silver").to_pyarrow_dataset())
    for name, path in job["gold"].items():
        write_deltalake(f"{root}/gold/{name}", con.sql(read(path)).to_arrow_table(), mode="overwrite")

with Step("train"):
    features, target = job["features"], job["target"]
    columns = ", ".join(f'"{name}"' for name in [*features, target])
    part = f"""('0x' || md5("{job['key']}")[1:8])::UINTEGER % 5 = 0 AS held_out"""
    frame = con.sql(f"SELECT {columns}, {part} FROM silver").df()
    learn, held_out = frame[~frame.held_out], frame[frame.held_out]
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), job["categories"]), remainder="passthrough"),
        RandomForestRegressor(
            job["trees"], max_depth=job["depth"], max_features=1 / 3, n_jobs=-1, random_state=job["seed"]
        ),
    ).fit(learn[features], learn[target])
    predicted = model.predict(held_out[features])
    r2 = r2_score(held_out[target], predicted)
    if job.get("mlflow"):
        # MLflow prints to standard output, which is the result's alone.
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            log_training(silver_version=DeltaTable(f"{root}/silver").version())

seconds["total"] = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "r2": float(r2), "trainingRows": int(len(learn)), "peakMB": peak}))
