"""500 trivial migrations by dbtrust, by the bare driver and by other runners: apply, nothing to do, down. dbmate has no
figure for down: it takes back one migration a call, and has no command for all of them.

One run; the tools take turns; medians of the client's CPU, wall time and largest memory, servers not counted. Bare:
the same scripts, each with an insert into a ledger, in a transaction of its own where the engine has one. "Nothing
to do" is also put beside a process that only imports the driver, and one that imports it and connects. A peer that
cannot be installed is told as absent.

Budgets (client CPU): apply and down at most 1.2 times the bare driver, nothing to do at most 1.3 times
importing the driver, ahead of every Python and Node peer.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pymongo
from common import Cost, Row, cost_of, options, show_rows
from migrate_peers import (
    PYTHON,
    Alembic,
    Dbmate,
    Dbtrust,
    DbtrustMongo,
    Django,
    MigrateMongo,
    RawMongo,
    RawPostgres,
    Tool,
    Yoyo,
)

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.server import MongoServer, start_mongo
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import PostgresServer, start_postgres
from dbtrust.engine.runs import Run

#: Driver -> a program that imports it and says a word to the server.
CONNECT = {
    "psycopg": "import sys, psycopg; psycopg.connect(sys.argv[1]).execute('SELECT 1')",
    "pymongo": "import sys, pymongo; pymongo.MongoClient(sys.argv[1]).admin.command('ping')",
}
#: (case, tool) -> what each turn took.
Costs = dict[tuple[str, str], list[Cost]]


def environment(tool: Tool, url: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DBTRUST_")}
    found = {**kept, **tool.environment(url)}
    if tool.path and tool.path.is_dir():
        found["PYTHONPATH"] = str(tool.path)
    return found


def one_turn(tool: Tool, folder: Path, url: str, costs: Costs, engine: str) -> None:
    """Apply, nothing to do, down, on an empty database."""

    def take(case: str, command: Sequence[str]) -> None:
        costs[f"{engine}: {case}", tool.name].append(cost_of(command, environment(tool, url), folder))

    take("apply", tool.up(url))
    take("nothing to do", tool.up(url))
    if (back := tool.down(url)) is not None:
        take("down", back)


def on_postgres(server: PostgresServer) -> Callable[[str], str]:
    def fresh(name: str) -> str:
        with psycopg.connect(server.admin_url(), autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            admin.execute(f'CREATE DATABASE "{name}" OWNER dbtrust_owner'.encode())
        return server.owner_url(name)

    return fresh


def on_mongo(server: MongoServer) -> Callable[[str], str]:
    def fresh(name: str) -> str:
        with pymongo.MongoClient[dict[str, object]](server.url()) as client:
            client.drop_database(name)
        return server.url(name)

    return fresh


def measure(
    engine: str, driver: str, tools: Sequence[Tool], fresh: Callable[[str], str], count: int, rounds: int
) -> Costs:
    costs: Costs = defaultdict(list)
    idle = f"{engine}: nothing to do"
    with tempfile.TemporaryDirectory() as name:
        for tool in tools:
            folder = Path(name, tool.name)
            folder.mkdir()
            tool.write(folder, count)
        for turn in range(rounds + 1):  # the first one fills the caches of compiled files and is not counted
            kept: Costs = costs if turn else defaultdict(list)
            url = fresh("bench_connect")
            for label, code in (
                (f"import {driver}", f"import {driver}"),
                (f"import {driver}, connect", CONNECT[driver]),
            ):
                kept[idle, label].append(cost_of([PYTHON, "-c", code, url], os.environ, Path(name)))
            for tool in tools:
                database = f"bench_{tool.name.replace('-', '_')}"
                one_turn(tool, Path(name, tool.name), fresh(database), kept, engine)
    return costs


def ratios_of(costs: Costs) -> dict[str, dict[str, float]]:
    """Client CPU of dbtrust over that of each other tool, case by case."""
    found: dict[str, dict[str, float]] = {}
    for case, tool in costs:
        if tool != "dbtrust":
            ours, theirs = (statistics.median(c.cpu for c in costs[case, t]) for t in ("dbtrust", tool))
            found.setdefault(case, {})[f"dbtrust / {tool}"] = ours / theirs
    return found


def rows_of(costs: Costs) -> list[Row]:
    rows: list[Row] = []
    for (case, tool), taken in sorted(costs.items()):
        for what, unit in (("cpu", "s"), ("wall", "s"), ("memory", "MB")):
            label = {"cpu": "client CPU", "wall": "wall time", "memory": "memory"}[what]
            rows.append(
                Row(f"{case}, {label}", tool, statistics.median(getattr(c, what) for c in taken), unit)
            )
    return rows


def present(tools: Sequence[Tool], versions: dict[str, str]) -> list[Tool]:
    """The tools that are there; of the others `versions` says that they are absent."""
    found: list[Tool] = []
    for tool in tools:
        there = tool.path is not None or type(tool) in (RawPostgres, RawMongo)
        if there:
            found.append(tool)
        if tool.version or not there:
            versions[tool.name] = tool.version or "absent (cannot be installed here)"
    return found


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    count, rounds = (50, 1) if asked.quick else (500, 5)
    versions: dict[str, str] = {"migrations": str(count), "python": sys.version.split()[0]}
    versions |= {"psycopg": psycopg.__version__, "pymongo": pymongo.version}
    sql_tools = present([RawPostgres(), Dbtrust(), Alembic(), Django(), Yoyo(), Dbmate()], versions)
    mongo_tools = present([RawMongo(), DbtrustMongo(), MigrateMongo()], versions)
    with Run() as run:
        postgres, mongo = start_postgres(run, find_postgres("17")), start_mongo(run, find_mongod("8.0"))
        versions |= {"PostgreSQL": postgres.version, "MongoDB": mongo.version}
        costs = measure("PostgreSQL", "psycopg", sql_tools, on_postgres(postgres), count, rounds)
        costs |= measure("MongoDB", "pymongo", mongo_tools, on_mongo(mongo), count, rounds)
    show_rows("migrate", versions, rows_of(costs), ratios_of(costs), as_json=asked.json)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.output}")
