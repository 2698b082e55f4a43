"""Reading 5,000 collections of MongoDB: seconds of a snapshot, of the server's and of dbtrust's processor time (which
a busy machine does not change), and the growth of dbtrust's memory. Budget: 5 s. Beside it, in turns, the driver alone
that reads the same statistics of the same collections, one command for each, in one thread and in four.

`bench/snapshot_mongo.py [--quick] [--json]`: `--quick` takes 500 collections. The server is dbtrust's own embedded one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pymongo

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.engine.mongo.monitor_collections import COUNTERS, SIZES
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


def server_time(url: str) -> float:
    """Seconds of a processor that mongod used since it started."""
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        pid = client.admin.command("serverStatus")["pid"]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def raw(url: str, names: list[str], measured: list[str], threads: int) -> float:
    """Seconds in which the driver alone reads counters and index use of all, sizes of those that were measured."""
    with pymongo.MongoClient[dict[str, Any]](url) as client, ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        list(client.bench.list_collections())
        for pipeline, wanted in ((COUNTERS, names), ([{"$indexStats": {}}], names), (SIZES, measured)):
            list(pool.map(lambda name, asked=pipeline: list(client.bench[name].aggregate(asked)), wanted))
        return time.perf_counter() - start


def measure(url: str, runs: int) -> list[tuple[str, float, str]]:
    """(case, median, unit)."""
    rows: list[tuple[str, float, str]] = []
    options = ReadOptions(profiler=False)
    read_snapshot(url, options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found: dict[str, list[float]] = {"wall": [], "mongod's processor": [], "dbtrust's processor": []}
    alone: dict[int, list[float]] = {1: [], 4: []}
    for _ in range(runs):
        start = (time.perf_counter(), server_time(url), time.process_time())
        now = read_snapshot(url, options)
        end = (time.perf_counter(), server_time(url), time.process_time())
        for name, first, last in zip(found, start, end, strict=True):
            found[name].append(last - first)
        rows_now = now.sections["collections"]
        names = [row["collection"] for row in rows_now]
        sized = [row["collection"] for row in rows_now if row["bytes"] is not None]
        for threads, times in alone.items():
            times.append(raw(url, names, sized, threads))
    count = len(now.sections["collections"])
    rows += [(f"snapshot of {count} collections: {n}", statistics.median(v), "s") for n, v in found.items()]
    wall = statistics.median(found["wall"])
    for threads, times in alone.items():
        each = statistics.median(times)
        rows.append((f"the driver alone, {threads} thread(s)", each, "s"))
        rows.append((f"snapshot / driver alone, {threads} thread(s)", wall / each, ""))
    measured = sum(row["bytes"] is not None for row in now.sections["collections"])
    rows.append(("collections whose sizes were measured", float(measured), ""))
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
            print(f"{case:58} {median:8.2f} {unit}")


if __name__ == "__main__":
    main()
