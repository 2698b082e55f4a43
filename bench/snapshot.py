"""What a snapshot costs the server that is monitored, and dbtrust itself.

PostgreSQL: 2,000 tables with 4,000 indexes and 5,000 statements with 20 kB of text each (--quick: 300 tables, 900
statements). Two clocks: the server's own pg_stat_statements tells how long it was busy with what the monitoring role
sent, waiting for a processor included; the kernel tells what the session used of a processor, from connecting to its
end. Budget: 0.5 s. Three cases: the first snapshot, a later one that has the texts of the first, and one of an empty
database. dbtrust's memory is the highest resident size of `dbtrust monitor` as a process; the page is that of
`monitor diagnose`, of this database from the server and from the first file, and of one where each of 1,500 tables
(--quick: 225) has six faults. Budget: 80 MB and, of the page, 1 MB.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from common import SRC, options, show
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run

TEXT = 20_000
READER = "reader"
FORMS = (
    "SELECT count(*) FROM t{n}",
    "SELECT v FROM t{n} WHERE id = 1",
    "SELECT id FROM t{n} ORDER BY w LIMIT 1",
)


def fill(url: str, tables: int, statements: int) -> None:
    """Tables with two indexes each, and as many different statements with long texts."""
    pad = "x" * (TEXT - 60)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as admin:
        admin.execute("CREATE EXTENSION pg_stat_statements")
        for n in range(tables):
            admin.execute(
                f"CREATE TABLE t{n} (id int PRIMARY KEY, v text, w int REFERENCES t{max(0, n - 1)})".encode()
            )
            admin.execute(f"CREATE INDEX ON t{n} (w)".encode())
        admin.execute("SELECT pg_stat_statements_reset()")
        for n in range(statements):
            text = FORMS[n // tables].format(n=n % tables)
            admin.execute(f"{text} /* {pad} */".encode())
        admin.execute("ANALYZE")


def spoil(url: str, tables: int) -> None:
    """Tables without a primary key, with four columns of odd types and two equal indexes."""
    with psycopg.connect(url, autocommit=True) as admin:
        for n in range(tables):
            table = sql.Identifier(f"t{n}")
            columns = sql.SQL("CREATE TABLE {} (a money, b json, c int, d timestamp, e char(5))")
            admin.execute(columns.format(table))
            admin.execute(sql.SQL("CREATE INDEX ON {0} (c); CREATE INDEX ON {0} (c)").format(table))


def server_time(admin: psycopg.Connection[tuple[object, ...]]) -> float:
    """Seconds that the server was busy with what the monitoring role sent."""
    row = admin.execute(
        "SELECT coalesce(sum(total_exec_time + total_plan_time), 0) / 1000 FROM pg_stat_statements(false)"
        " WHERE userid = %s::regrole",
        [READER],
    ).fetchone()
    assert row is not None
    return float(str(row[0]))


def processor_time(admin: psycopg.Connection[tuple[object, ...]]) -> float:
    """Seconds of a processor that the sessions used which have ended."""
    while admin.execute("SELECT FROM pg_stat_activity WHERE usename = %s", [READER]).fetchone():
        time.sleep(0.05)
    row = admin.execute("SHOW data_directory").fetchone()
    assert row is not None
    postmaster = int(Path(str(row[0]), "postmaster.pid").read_text().split()[0])
    fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def take(url: str, file: Path, *more: str) -> float:
    """Takes a snapshot in a process of its own; its highest resident size in MB."""
    return peak("snapshot", "--postgres", url, "--output", str(file), "-q", *more)


def peak(*arguments: str) -> float:
    """The highest resident size of `dbtrust monitor` with these arguments as a process, in MB."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dbtrust", "monitor", *arguments],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_maxrss / 1024


def pages(url: str, spoilt: str, folder: Path) -> dict[str, float]:
    """Memory and size of the page, in MB."""
    cases = {
        "from the server": ("--postgres", url),
        "from the file": ("--from", str(folder / "first.json")),
        "of 6 faults in each table": ("--postgres", spoilt),
    }
    found: dict[str, float] = {}
    for name, source in cases.items():
        file = folder / "page.html"
        more = ("--format", "html", "--fail-on", "never", "--output", str(file))
        found[f"dbtrust memory (MB): page {name}"] = peak("diagnose", *source, *more)
        found[f"page (MB): {name}"] = file.stat().st_size / 1e6
    return found


def measure(url: str, empty: str, folder: Path, rounds: int) -> dict[str, float]:
    """Medians over the rounds, in which the cases take turns."""
    found: dict[str, list[float]] = {}
    cases = {
        "first": (url, ()),
        "later, texts known": (url, ("--since", str(folder / "first.json"))),
        "empty database": (empty, ()),
    }
    with psycopg.connect(url, autocommit=True) as admin:
        for _ in range(rounds):
            for name, (where, more) in cases.items():
                before, used = server_time(admin), processor_time(admin)
                memory = take(where, folder / f"{name.split(',')[0]}.json", *more)
                found.setdefault(f"processor (s): {name}", []).append(processor_time(admin) - used)
                found.setdefault(f"server time (s): {name}", []).append(server_time(admin) - before)
                found.setdefault(f"dbtrust memory (MB): {name}", []).append(memory)
        row = admin.execute(
            "SELECT sum(length(query)) / 1e6 FROM pg_stat_statements WHERE query LIKE 'SELECT%xxx%'"
        ).fetchone()
    assert row is not None
    medians = {name: statistics.median(values) for name, values in found.items()}
    medians["statement texts (MB): all"] = float(row[0])
    medians["snapshot file (MB): first"] = (folder / "first.json").stat().st_size / 1e6
    medians["statements: all"] = float(
        len(json.loads((folder / "first.json").read_text())["snapshots"][0]["sections"]["statements"])
    )
    return medians


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    tables, statements = (300, 900) if asked.quick else (2_000, 5_000)
    binaries = find_postgres(os.environ.get("BENCH_POSTGRES", "17"))
    with Run() as run, tempfile.TemporaryDirectory() as name:
        server = start_postgres(run, binaries, settings={"pg_stat_statements.max": 10_000})
        with psycopg.connect(server.admin_url(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {READER} LOGIN IN ROLE pg_monitor".encode())
            admin.execute("CREATE DATABASE empty")
            admin.execute("CREATE DATABASE spoilt")
        fill(server.admin_url(), tables, statements)
        url = make_conninfo(server.admin_url(), user=READER)
        empty = make_conninfo(url, dbname="empty")
        spoilt = {"dbname": "spoilt"}
        spoil(make_conninfo(server.admin_url(), **spoilt), tables * 3 // 4)
        medians = measure(url, empty, Path(name), 3)
        medians |= pages(url, make_conninfo(url, **spoilt), Path(name))
    first, later = (medians[f"server time (s): {case}"] for case in ("first", "later, texts known"))
    memory = medians["dbtrust memory (MB): first"] / medians["dbtrust memory (MB): empty database"]
    busy = [medians[f"processor (s): {case}"] for case in ("first", "later, texts known")]
    ratios = {
        "processor": {"later / first": busy[1] / busy[0]},
        "server time": {"later / first": later / first},
        "memory": {"full / empty database": memory},
    }
    show("snapshot", {"postgres": binaries.version}, medians, "as named", ratios, as_json=asked.json)


if __name__ == "__main__":
    main()
