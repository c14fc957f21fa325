"""Reads and appends to a table in S3 while others write: append.py URI WRITER COMMITS

The settings are the AWS ones of the environment. Before each commit the whole table is read, and its rows must be distinct
and at least those of the reading before. Once its table is open it writes "ready", and it begins when its input ends. Then
it writes the versions that it made, as JSON.
"""

import json
import os
import sys

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

uri, writer, commits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
storage = {
    "aws_endpoint": os.environ["AWS_ENDPOINT_URL_S3"],
    "aws_region": os.environ["AWS_REGION"],
    "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
    "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "aws_allow_http": "true",
    "aws_virtual_hosted_style_request": "false",
    "conditional_put": "etag",
}
schema = pa.schema([pa.field(name, pa.int32(), nullable=False) for name in ("writer", "n")])
table = DeltaTable(uri, storage_options=storage)
print("ready", flush=True)
sys.stdin.read()

versions, seen = [], set()
for n in range(commits):
    table.update_incremental()
    read = [(row["writer"], row["n"]) for row in table.to_pyarrow_table().to_pylist()]
    rows = set(read)
    if len(rows) != len(read):
        sys.exit(f"version {table.version()} has a row twice")
    if not seen <= rows:
        sys.exit(f"version {table.version()} lost {sorted(seen - rows)}")
    if len(rows) != table.version():
        sys.exit(f"version {table.version()} has {len(rows)} rows")
    seen = rows
    data = pa.table([pa.array([writer], pa.int32()), pa.array([n], pa.int32())], schema=schema)
    write_deltalake(table, data, mode="append", commit_properties=CommitProperties(max_commit_retries=200))
    versions.append(table.version())
print(json.dumps(versions))
