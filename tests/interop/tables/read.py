"""Reads a Delta table at some versions with readers that are not ours. Prints a JSON list with one object for each
version: {"deltaRs": reading, "duckdb": reading}, a reading being {"schema", "version", "rows"}. The schema is Delta's JSON
from delta-rs, and DuckDB's types by column from DuckDB.

    read.py TABLE newest|VERSION...

Rows come as Lakelet's own JSON has them (docs/cli.md), so that both can be compared as text.
"""

import base64
import glob
import json
import math
import os
import sys
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa


def plain(value, kind):
    if value is None:
        return None
    if pa.types.is_map(kind):
        pairs = [(plain(k, kind.key_type), plain(v, kind.item_type)) for k, v in value]
        if all(isinstance(k, str) for k, _ in pairs):
            return dict(pairs)
        return [{"key": k, "value": v} for k, v in pairs]
    if pa.types.is_struct(kind):
        return {f.name: plain(value[f.name], f.type) for f in kind}
    if isinstance(value, list):
        return [plain(item, kind.value_type) for item in value]
    return scalar(value)


def scalar(value):
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat(timespec="microseconds")
        return text if value.tzinfo is None else f"{text}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"no JSON for {type(value)}")


def with_delta_rs(path, version):
    from deltalake import DeltaTable, QueryBuilder

    table = DeltaTable(path, version=version)
    rows = pa.table(QueryBuilder().register("t", table).execute("SELECT * FROM t"))
    return json.loads(table.schema().to_json()), table.version(), rows


def with_duckdb(path, version):
    import duckdb
    import duckdb_extension_delta

    home = os.path.dirname(duckdb_extension_delta.__file__)
    [extension] = glob.glob(f"{home}/extensions/*/delta.duckdb_extension")
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    at = "" if version is None else f", version => {version}"
    quoted = path.replace("'", "''")
    scan = f"FROM delta_scan('{quoted}'{at})"
    types = {name: kind for name, kind, *_ in connection.execute(f"DESCRIBE {scan}").fetchall()}
    return types, version, connection.execute(scan).to_arrow_table()


READERS = {"deltaRs": with_delta_rs, "duckdb": with_duckdb}


def reading(read, path, version):
    schema, version, table = read(path, version)
    columns = [[plain(v, field.type) for v in table.column(i).to_pylist()] for i, field in enumerate(table.schema)]
    rows = [dict(zip(table.schema.names, values)) for values in zip(*columns)]
    return {"schema": schema, "version": version, "rows": rows}


path, *versions = sys.argv[1:]
readings = []
for text in versions:
    version = None if text == "newest" else int(text)
    readings.append({name: reading(read, path, version) for name, read in READERS.items()})
json.dump(readings, sys.stdout)
