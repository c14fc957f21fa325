"""Writes a partitioned Delta table to S3 with delta-rs, with updates, deletions and a checkpoint: write.py URI"""

import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from storage import OPTIONS

uri = sys.argv[1]
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("place", pa.string()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("amount", pa.decimal128(12, 3)),
        ("score", pa.float64()),
        ("tags", pa.list_(pa.string())),
        ("point", pa.struct([("x", pa.int32()), ("y", pa.string())])),
    ]
)
PLACES = ["Zürich", "a b/c=%", "plain", None]


def rows(ids):
    return pa.Table.from_pylist(
        [
            {
                "id": n,
                "place": PLACES[n % 4],
                "day": date(2024, 1, 1) + timedelta(days=n % 3),
                "at": datetime(2024, 1, 1, 12, 0, 0, n, tzinfo=timezone.utc),
                "amount": Decimal(n) / 8,
                "score": None if n % 7 == 0 else n / 3,
                "tags": ["x", None, str(n)],
                "point": {"x": n, "y": None},
            }
            for n in ids
        ],
        schema=SCHEMA,
    )


def append(ids, partition_by=None):
    write_deltalake(uri, rows(ids), mode="append", partition_by=partition_by, storage_options=OPTIONS)


append(range(0, 100), ["place", "day"])
append(range(100, 150))
table = DeltaTable(uri, storage_options=OPTIONS)
table.delete("id % 10 = 3")
table.update({"score": "0.5"}, predicate="id = 42")
table.create_checkpoint()
append(range(150, 160))
