"""The pipeline's job in Python: DuckDB, delta-rs and scikit-learn, over the same rows and the same SQL.

Reads one job (JSON) from standard input, prints seconds a step, R2 and the peak of its memory as one JSON object. The
rows that bronze lands are read before the clock starts: generating them is not part of this side's time.
"""
import json
import resource
import sys
import time

import duckdb
import numpy as np
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

job = json.load(sys.stdin)
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
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

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
    r2 = r2_score(held_out[target], model.predict(held_out[features]))

seconds["total"] = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
print(json.dumps({"seconds": seconds, "r2": float(r2), "trainingRows": int(len(learn)), "peakMB": peak}))
