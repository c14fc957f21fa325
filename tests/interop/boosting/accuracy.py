"""Writes a data set that ships inside scikit-learn to a folder, and what its HistGradientBoostingRegressor scores on it.

Usage: accuracy.py diabetes|wine|breast_cancer FOLDER MISSING, where MISSING is the share of values that are taken away.
"""
import json
import os
import sys

import numpy as np
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import mean_squared_error

name, folder, missing = sys.argv[1], sys.argv[2], float(sys.argv[3])
data = getattr(datasets, f"load_{name}")()
features, target = data.data, data.target.astype(float)
if name != "diabetes":
    # These are for classification; their first column is predicted from the others.
    features, target = features[:, 1:], features[:, 0]
features = features.astype(np.float32).astype(np.float64)
random = np.random.default_rng(7)
features[random.random(features.shape) < missing] = np.nan
# One draw of folds moves the error of a few hundred rows by a tenth or more.
folds = [random.permutation(len(target)) % 5 for _ in range(6)]
errors = []
for fold in folds:
    for held_out in range(5):
        train = fold != held_out
        model = HistGradientBoostingRegressor(max_iter=100, min_samples_leaf=10, early_stopping=False)
        model.fit(features[train], target[train])
        errors.append(mean_squared_error(target[~train], model.predict(features[~train])))
features.tofile(os.path.join(folder, "features.f64"))
target.tofile(os.path.join(folder, "target.f64"))
np.concatenate(folds).astype(np.int32).tofile(os.path.join(folder, "folds.i32"))
print(json.dumps({"width": features.shape[1], "rmse": float(np.sqrt(np.mean(errors)))}))
