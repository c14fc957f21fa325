"""Holds the statistics of every live file of Delta tables against the file's own data, read by PyArrow.

    check-stats.py TABLE...

Prints one JSON object: {"files", "columns", "faults"}; `columns` counts the bounds that were compared.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

MILLISECOND = timedelta(milliseconds=1)


def leaves(array, kind, path=()):
    """The columns below a column that statistics may tell of: (path, array), structs taken apart."""
    if pa.types.is_struct(kind):
        for i, field in enumerate(kind):
            # flatten() brings the struct's own nulls down to its fields.
            yield from leaves(array.flatten()[i], field.type, (*path, field.name))
    else:
        yield path, array


def at(stats, path):
    for name in path:
        if not isinstance(stats, dict):
            return None
        stats = stats.get(name)
    return stats


def told(value, kind):
    """A bound as the log tells it, as the value that PyArrow gives."""
    if pa.types.is_timestamp(kind):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment if kind.tz is not None else moment.replace(tzinfo=None)
    if pa.types.is_date(kind):
        return datetime.fromisoformat(value).date()
    if pa.types.is_decimal(kind):
        return Decimal(value)
    if pa.types.is_floating(kind):
        # The shortest text of a 32-bit float is another 64-bit one.
        return pa.scalar(float(value), kind).as_py()
    return value


def bound_fault(kind, name, bound, low, high):
    if pa.types.is_timestamp(kind):
        # Bounds of timestamps may be cut to milliseconds.
        good = low - MILLISECOND < bound <= low if name == "minValues" else high <= bound + MILLISECOND
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # Bounds of long strings may be cut; they stay bounds.
        good = bound <= low if name == "minValues" else bound >= high
        good = good and (len(bound) >= 32 or bound == (low if name == "minValues" else high))
    else:
        good = bound == (low if name == "minValues" else high)
    return None if good else f"{name} is {bound!r}, the data has {low!r} to {high!r}"


def check(path, stats, faults):
    table = pq.ParquetFile(path).read()
    compared = 0
    if stats.get("numRecords") != table.num_rows:
        faults.append(f"{path}: numRecords is {stats.get('numRecords')}, the file has {table.num_rows}")
    for i, field in enumerate(table.schema):
        column = table.column(i).combine_chunks()
        for leaf, array in leaves(column, field.type, (field.name,)):
            nulls = at(stats.get("nullCount"), leaf)
            if nulls is not None and nulls != array.null_count:
                faults.append(f"{path} {leaf}: nullCount is {nulls}, the data has {array.null_count}")
            for name in ("minValues", "maxValues"):
                bound = at(stats.get(name), leaf)
                if bound is None:
                    continue
                ends = pc.min_max(array).as_py()
                low, high = ends["min"], ends["max"]
                fault = bound_fault(array.type, name, told(bound, array.type), low, high)
                compared += 1
                if fault is not None:
                    faults.append(f"{path} {leaf}: {fault}")
    return compared


def live_files(root, version):
    live = {}
    for v in range(version + 1):
        with open(f"{root}/_delta_log/{v:020d}.json", encoding="utf-8") as commit:
            for action in map(json.loads, commit):
                if "add" in action:
                    live[action["add"]["path"]] = action["add"]
                if "remove" in action:
                    live.pop(action["remove"]["path"], None)
    return live


faults = []
files = 0
compared = 0
for root in sys.argv[1:]:
    for path, add in live_files(root, DeltaTable(root).version()).items():
        files += 1
        if "stats" not in add:
            faults.append(f"{path} has no statistics")
            continue
        stats = json.loads(add["stats"], parse_float=Decimal)
        compared += check(os.path.join(root, unquote(path)), stats, faults)
json.dump({"files": files, "columns": compared, "faults": faults}, sys.stdout)
