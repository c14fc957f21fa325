"""Reads Delta tables in S3 with delta-rs: read.py URI...

Prints a JSON list with one {"version", "rows"} for each; the rows' values as DuckDB's text, in order.
"""

import json
import sys

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from storage import OPTIONS

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
readings = []
for uri in sys.argv[1:]:
    table = DeltaTable(uri, storage_options=OPTIONS)
    connection.register("rows", pa.table(QueryBuilder().register("t", table).execute("SELECT * FROM t")))
    rows = connection.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM rows ORDER BY ALL").fetchall()
    readings.append({"version": table.version(), "rows": rows})
json.dump(readings, sys.stdout)
