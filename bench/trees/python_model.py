"""Trains one model in a process of its own, for the benches: a ModelJob of model-job.ts in, a ModelMeasured out.

The data are loaded and the packages imported before the clock starts, as on the other side.
"""
import json
import os
import resource
import sys
import time

import numpy as np

job = json.load(sys.stdin)
kind, trees, seed, depth, leaf = job["model"], job["trees"], job["seed"], job.get("depth"), job["leaf"]
share = float(job["maxFeatures"])


def load(name, dtype):
    return np.fromfile(os.path.join(job["data"], f"{name}.bin"), dtype=dtype)


def memory():
    """Resident now and at the peak, MB."""
    if sys.platform != "linux":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        return peak, peak
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def user_seconds():
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


with open(os.path.join(job["data"], "table.json"), encoding="utf-8") as file:
    table = json.load(file)
columns = [load(at, np.int32 if "categories" in column else np.float64) for at, column in enumerate(table)]
target = load("target", np.float64)
train, held_out = load("train", np.uint32), load("held_out", np.uint32)
categorical = [at for at, column in enumerate(table) if "categories" in column]


def ordinal(rows):
    """A matrix of 64-bit floats; a missing category is NaN."""
    matrix = np.column_stack([column[rows] for column in columns]).astype(np.float64)
    for at in categorical:
        matrix[matrix[:, at] < 0, at] = np.nan
    return matrix


def one_hot(rows):
    """Numbers as they are and a column a category, as OneHotEncoder makes them."""
    parts = []
    for at, column in enumerate(columns):
        if at in categorical:
            parts.append(column[rows][:, None] == np.arange(len(table[at]["categories"])))
        else:
            parts.append(column[rows][:, None])
    return np.concatenate(parts, axis=1, dtype=np.float64)


def frame(rows):
    """YDF's input: a dictionary of arrays, categories as texts."""
    data = {}
    for at, column in enumerate(table):
        values = columns[at][rows]
        if at in categorical:
            data[column["name"]] = np.append(np.array(column["categories"], dtype=object), "")[values].astype(str)
        else:
            data[column["name"]] = values
    return data


class Ydf:
    def __init__(self):
        import ydf

        ydf.verbose(0)
        # Its depth counts nodes, not splits.
        self.learner = ydf.RandomForestLearner(
            label="target",
            task=ydf.Task.REGRESSION,
            num_trees=trees,
            max_depth=-1 if depth is None else depth + 1,
            min_examples=leaf,
            # A share would be rounded up, where the others round it down.
            num_candidate_attributes=max(1, int(share * len(table))),
            compute_oob_performances=False,
            num_threads=os.cpu_count(),
            random_seed=seed,
        )

    def fit(self, data, values):
        self.model = self.learner.train({**data, "target": values})

    def predict(self, data):
        return self.model.predict(data)


def scikit_forest():
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        trees, max_depth=depth, min_samples_leaf=leaf, max_features=share, n_jobs=-1, random_state=seed
    )


def scikit_boosting(categories):
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=trees,
        max_depth=depth,
        min_samples_leaf=leaf,
        max_features=share,
        early_stopping=False,
        categorical_features=categories,
        random_state=seed,
    )


def lightgbm(**more):
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        n_estimators=trees,
        max_depth=depth or -1,
        min_child_samples=leaf,
        min_child_weight=0,
        n_jobs=os.cpu_count(),
        random_state=seed,
        histogram_pool_size=1024,
        verbose=-1,
        **more,
    )


def lightgbm_forest():
    # As deep as asked for, and no leaf forbidden by another limit; its most are 131,072 leaves. It draws rows without
    # replacement: .632 is the share that a bootstrap sees.
    leaves = 2**depth if depth is not None else max(2, min(131_072, len(train) // leaf))
    return lightgbm(num_leaves=leaves, boosting_type="rf", subsample=0.632, subsample_freq=1, colsample_bynode=share)


MODELS = {
    "sklearn": (ordinal, scikit_forest),
    "onehot": (one_hot, scikit_forest),
    "ydf": (frame, Ydf),
    "lightgbm": (ordinal, lightgbm_forest),
    "hist": (ordinal, lambda: scikit_boosting(None)),
    "hist-categorical": (ordinal, lambda: scikit_boosting(categorical)),
    "lightgbm-boosting": (ordinal, lambda: lightgbm(num_leaves=31)),
}
encode, make = MODELS[kind]
model = make()
more = {"categorical_feature": categorical} if kind.startswith("lightgbm") else {}
start = time.perf_counter()
learn, values = encode(train), target[train]
if sys.platform == "linux":
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
before, _ = memory()
begin, user = time.perf_counter(), user_seconds()
model.fit(learn, values, **more)
fit, cpu = time.perf_counter() - begin, user_seconds() - user
_, peak = memory()
scored = encode(held_out)
predicted = model.predict(scored)
total = time.perf_counter() - start

actual = target[held_out]
squared = np.sum((actual - predicted) ** 2)
r2 = 1 - squared / np.sum((actual - actual.mean()) ** 2)
mae = np.mean(np.abs(actual - predicted))
seconds = None
if job["predict"] > 0 and isinstance(scored, np.ndarray):
    rows = np.resize(np.arange(len(scored)), job["predict"])
    # Trees of scikit-learn take 32-bit floats, those of its boosting 64-bit ones: neither has to convert.
    many = scored[rows].astype(np.float64 if kind.startswith("hist") else np.float32)
    begin = time.perf_counter()
    model.predict(many)
    seconds = time.perf_counter() - begin
print(
    json.dumps(
        {
            "fit": fit,
            "cpu": cpu,
            "all": total,
            "predict": seconds,
            "r2": float(r2),
            "mae": float(mae),
            "peak": peak,
            "above": peak - before,
        }
    )
)
