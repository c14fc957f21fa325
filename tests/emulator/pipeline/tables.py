"""Reads Delta tables in S3 with delta-rs: tables.py URI...

Prints a JSON list with one {"version", "rows", "schema"} for each: the schema as Delta writes it.
"""

import json
import os
import sys

from deltalake import DeltaTable, QueryBuilder

OPTIONS = {"aws_allow_http": "true", "aws_virtual_hosted_style_request": "false"}

readings = []
for uri in sys.argv[1:]:
    table = DeltaTable(uri, storage_options={**OPTIONS, "aws_endpoint": os.environ["AWS_ENDPOINT_URL_S3"]})
    counted = QueryBuilder().register("t", table).execute("SELECT count(*) AS n FROM t").read_all()
    readings.append(
        {
            "version": table.version(),
            "rows": counted["n"][0].as_py(),
            "schema": json.loads(table.schema().to_json()),
        }
    )
json.dump(readings, sys.stdout)
