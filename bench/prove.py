"""The prover beside pytest-mrt and pytest-alembic on the same Alembic projects, and a history of 300 migrations.

Each case is an Alembic project of two revisions: one base, and one revision whose down leaves something behind, fails
over rows that only the new schema allows (a trap), or is ready for them (its twin). The cases are those of
dbtrust's own tests. pytest-mrt: its tests for downs, static analysis included; pytest-alembic: up_down_consistency
and downgrade_leaves_no_trace. A peer sees a case when one of its tests fails for it.

The 300 migrations have downs and changes of nine kinds; budgets: 60 s, and the last 50 at most 1.5 times the first 50.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from common import Row, options, show_rows
from histories import write_history
from peers import environment_peer, python_version
from tests.migrate.test_leftovers import BASE, LEFT
from tests.migrate.test_rows_after import TRAPS

from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.server import PostgresServer, start_postgres
from dbtrust.engine.runs import Run
from dbtrust.migrate.proving import Proving, prove
from dbtrust.source.config import load_config

HERE = Path(__file__).resolve().parent
PEERS = (
    "pytest-mrt==1.9.1",
    "pytest-alembic==0.13.1",
    "alembic==1.18.4",
    "sqlalchemy==2.0.44",
    "psycopg[binary]==3.2.12",
)
ENV = """
import os
import sqlalchemy
from alembic import context

given = context.config.attributes.get("connection")
url = context.config.get_main_option("sqlalchemy.url") or os.environ.get("BENCH_URL")

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

if given is not None and not hasattr(given, "connect"):
    run(given)
else:
    engine = given or sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        run(connection)
"""
#: Takes the base back, whatever a case left; Alembic's own table stays.
CLEAR = """
DO $$
DECLARE o record;
BEGIN
  FOR o IN SELECT c.oid::regclass::text AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
           AND c.relkind IN ('r', 'v', 'm', 'S') AND c.relname <> 'alembic_version' ORDER BY c.relkind = 'S' LOOP
    IF to_regclass(o.name) IS NOT NULL THEN
      EXECUTE format('DROP %s IF EXISTS %s CASCADE',
        CASE o.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'SEQUENCE' END, o.name);
    END IF;
  END LOOP;
  FOR o IN SELECT oid::regprocedure AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace LOOP
    EXECUTE format('DROP FUNCTION %s CASCADE', o.name);
  END LOOP;
  FOR o IN SELECT oid::regtype AS name FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd') LOOP
    EXECUTE format('DROP TYPE %s CASCADE', o.name);
  END LOOP;
END $$
"""
REVISION = """from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade():
    op.execute({up!r})


def downgrade():
    op.execute({down!r})
"""


@dataclass(frozen=True)
class Case:
    """`kind`: left, trap or twin; a twin is right, the others are wrong."""

    kind: str
    name: str
    before: str
    up: str
    down: str


def cases(every: int) -> Iterator[Case]:
    """All of them, or each `every`-th of a kind."""
    for name, (up, down, _) in list(LEFT.items())[::every]:
        yield Case("left", name, BASE, up, down or "SELECT 1")
    for name, (before, up, wrong, right, _) in list(TRAPS.items())[::every]:
        yield Case("trap", name, before, up, wrong)
        yield Case("twin", name, before, up, right)


def write_case(folder: Path, case: Case) -> None:
    versions = folder / "scripts" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/scripts\n")
    (folder / "scripts" / "env.py").write_text(ENV)
    texts = (("r1", "None", case.before, CLEAR), ("r2", '"r1"', case.up, case.down))
    for revision, before, one, other in texts:
        text = REVISION.format(revision=revision, before=before, up=one, down=other)
        (versions / f"{revision}_.py").write_text(text)


def seen_by_dbtrust(root: Path, names: Mapping[str, Case], server: PostgresServer) -> set[str]:
    """The folders whose second revision has a refuted down, in one run over all of them."""
    report = prove(Proving(root, postgres=server.admin_url(), engines=frozenset({"postgres"})))
    assert not report.errors, report.errors
    base = [v for v in report.verdicts if v.subject == "migration:r1" and v.verdict == "refuted"]
    assert not base, base[:3]
    judged = [v for v in report.verdicts if v.subject == "migration:r2"]
    applied = {_folder(v.location.file) for v in judged if v.check == "migrate.up" and v.verdict == "holds"}
    assert applied == set(names), f"not applied: {sorted(set(names) - applied)}"
    return {_folder(v.location.file) for v in judged if v.verdict == "refuted"}


def _folder(file: str | None) -> str:
    return str(file).partition("/")[0]


def seen_by_peer(
    tool: str, python: Path, root: Path, names: Sequence[str], server: PostgresServer
) -> set[str]:
    """What bench/prove_peers.py says, in the peers' environment."""
    argv = [str(python), str(HERE / "prove_peers.py"), tool, str(root), server.admin_url(), *names]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def compared(every: int, server: PostgresServer, versions: dict[str, str]) -> list[Row]:
    rows: list[Row] = []
    environment = environment_peer(*PEERS)
    if environment is None:
        versions["pytest-mrt, pytest-alembic"] = "absent (cannot be installed here)"
        return rows
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        (root / ".venv").symlink_to(environment)
        names = {f"case{n:03d}": case for n, case in enumerate(cases(every))}
        for folder, case in names.items():
            write_case(root / folder, case)
        python = environment / "bin" / "python"
        for tool in ("pytest-mrt", "pytest-alembic"):
            versions[tool] = python_version(next(environment.glob("lib/*/site-packages")), tool)
        tools = {
            "dbtrust": lambda: seen_by_dbtrust(root, names, server),
            "pytest-mrt": lambda: seen_by_peer("pytest-mrt", python, root, list(names), server),
            "pytest-alembic": lambda: seen_by_peer("pytest-alembic", python, root, list(names), server),
        }
        for tool, run in tools.items():
            started = time.perf_counter()
            seen = run()
            rows += _counted(tool, names, seen, time.perf_counter() - started)
    return rows


def _counted(tool: str, names: Mapping[str, Case], seen: set[str], seconds: float) -> Iterator[Row]:
    labels = {
        "left": "downs that leave something: seen",
        "trap": "traps: seen",
        "twin": "their safe twins: false alarms",
    }
    for kind, label in labels.items():
        of_kind = [folder for folder, case in names.items() if case.kind == kind]
        yield Row(label, tool, sum(folder in seen for folder in of_kind), f"of {len(of_kind)}")
        missed = [names[f].name for f in of_kind if (f in seen) == (kind == "twin")]
        print(f"{tool}, {kind}, wrong about: {', '.join(missed) or 'none'}", file=sys.stderr)
    yield Row(f"the {len(names)} projects: wall time", tool, seconds, "s")


def long_history(count: int, server: PostgresServer) -> tuple[list[Row], dict[str, dict[str, float]]]:
    """Seconds for all, for the first and for the last sixth of a history."""
    marks: list[float] = []

    def progress(message: str, /) -> None:
        if message.startswith("proving ") and ".sql" in message:
            marks.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as name:
        write_history(Path(name), count)
        started = time.perf_counter()
        config = load_config(Path(name))
        report = prove(
            Proving(
                config.root,
                config,
                postgres=server.admin_url(),
                engines=frozenset({"postgres"}),
                progress=progress,
            )
        )
        ended = time.perf_counter()
    wrong = [v for v in report.verdicts if v.verdict == "refuted"]
    assert not report.errors and not wrong, [*report.errors, *wrong][:3]
    assert len(marks) == count, f"{len(marks)} of {count} were seen"
    part = count // 6
    first, last = marks[part] - marks[0], ended - marks[-part]
    title = f"{count} migrations"
    rows = [
        Row(f"{title}: all", "dbtrust", ended - started, "s"),
        Row(f"{title}: the first {part}", "dbtrust", first, "s"),
        Row(f"{title}: the last {part}", "dbtrust", last, "s"),
    ]
    return rows, {title: {f"the last {part} / the first {part}": last / first}}


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    versions: dict[str, str] = {}
    with Run() as run:
        server = start_postgres(run, find_postgres("17"))
        versions["PostgreSQL"] = server.version
        rows = compared(8 if asked.quick else 1, server, versions)
        more, ratios = long_history(60 if asked.quick else 300, server)
    show_rows("prove", versions, [*rows, *more], ratios, as_json=asked.json)


if __name__ == "__main__":
    main()
