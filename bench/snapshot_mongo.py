"""Reading 5,000 collections of MongoDB: seconds of a snapshot, and the growth of dbtrust's memory.

`bench/snapshot_mongo.py [--quick] [--json]`: `--quick` takes 500 collections. The server is dbtrust's own embedded one.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.engine.mongo.server import start_mongo
from dbtrust.engine.runs import Run
from dbtrust.model.snapshot import ReadOptions

_DOCUMENTS = 3


def fill(client: pymongo.MongoClient[dict[str, Any]], count: int) -> None:
    """Collections of three documents with two indexes each."""

    def make(number: int) -> None:
        collection = client.bench[f"collection_{number:05}"]
        # An index of an empty collection is made at once.
        collection.create_index("a")
        collection.insert_many([{"a": n, "b": str(n)} for n in range(_DOCUMENTS)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(count)))


def measure(url: str, runs: int) -> list[tuple[str, float, str]]:
    """(case, median, unit)."""
    rows: list[tuple[str, float, str]] = []
    options = ReadOptions(profiler=False)
    read_snapshot(url, options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        now = read_snapshot(url, options)
        seconds.append(time.perf_counter() - start)
    rows.append(
        (f"snapshot of {len(now.sections['collections'])} collections", statistics.median(seconds), "s")
    )
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    rows.append((f"memory after {runs} more snapshots", grown / 1024, "MB"))
    rows.append(("memory in all", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with Run() as run:
        server = start_mongo(run, find_mongod("8.0"))
        with pymongo.MongoClient[dict[str, Any]](server.url()) as client:
            fill(client, 500 if asked.quick else 5000)
        rows = measure(server.url(), 3)
    if asked.json:
        shown = [{"case": c, "tool": "dbtrust", "median": round(m, 3), "unit": u} for c, m, u in rows]
        print(
            json.dumps(
                {
                    "bench": "snapshot_mongo",
                    "versions": {"mongod": server.version},
                    "rows": shown,
                    "ratios": {},
                }
            )
        )
    else:
        for case, median, unit in rows:
            print(f"{case:40} {median:8.2f} {unit}")


if __name__ == "__main__":
    main()
