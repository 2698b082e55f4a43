"""Contracts and plan claims of 500 queries against the bare PREPARE and EXPLAIN calls that they cannot do without.

Both sides work on the same embedded server with the same data loaded. Bare: each query is parsed and described once
with the types that psycopg sends, then explained (ANALYZE) over three fresh samples of the statistics, each call in
a transaction that is rolled back. dbtrust: `contract.*` and `claim.*` of the same project, generic plans included.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from common import interleaved, options, show

from dbtrust.checks.parse import parse_claims
from dbtrust.claims.cases import example_values
from dbtrust.claims.contracts import judge_contracts
from dbtrust.claims.postgres import ROUNDS, Parsed, judge_queries
from dbtrust.claims.together import side_by_side
from dbtrust.engine.postgres.describe import describe, sent_types
from dbtrust.engine.postgres.load import analyze
from dbtrust.engine.postgres.values import as_sent
from dbtrust.engine.runs import Run
from dbtrust.judge.outcomes import known_names
from dbtrust.model.progress import silent
from dbtrust.model.report import Verdict
from dbtrust.queries.placeholders import bind_params
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import Project, read_project
from dbtrust.stage.postgres import PostgresStage, open_postgres

TABLES = 20
ROWS = 5_000
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON) "
SHAPES = (
    ("by_id", "dict | None", "id = 7", "uses {t}_pkey on {t}", "SELECT id, name, at FROM {t} WHERE id = :id"),
    ("by_name", "list", "name = 'n7'", "uses {t}_name on {t}", "SELECT id, name FROM {t} WHERE name = :name ORDER BY id"),
    ("latest", "list", "limit = 10", "no sort", "SELECT id, at FROM {t} ORDER BY at DESC LIMIT :limit"),
    ("joined", "list", "id = 7", "cost at most 1000",
     "SELECT a.id, b.name FROM {t} a JOIN {u} b ON b.id = a.other WHERE a.id = :id"),
    ("counted", "int", "kind = 3", "cost at most 10000", "SELECT count(*) FROM {t} WHERE kind = :kind"),
)  # fmt: skip
ROWS_OF_TABLE = """
INSERT INTO {t} SELECT g, 'n' || g, g % 10, g, :now - g * interval '1 minute'
FROM generate_series(1, :rows) g WHERE :seed = 1
"""
TYPES = {"id": "int", "name": "str", "limit": "int", "kind": "int"}


def project_of(folder: Path, queries: int) -> Path:
    """A project of that many queries over 20 tables, each with a claim, an example and a typed method."""
    schema, sql, methods = [], [], []
    for n in range(TABLES):
        schema.append(
            f"CREATE TABLE t{n} (id int PRIMARY KEY, name text NOT NULL, kind int NOT NULL, other int NOT NULL,"
            f" at timestamptz NOT NULL);\nCREATE INDEX t{n}_name ON t{n} (name);\nCREATE INDEX t{n}_at ON t{n} (at);"
        )
        (folder / f"t{n}.sql").write_text(ROWS_OF_TABLE.replace("{t}", f"t{n}"))
    for n in range(queries):
        name, returns, example, claim, text = SHAPES[n % len(SHAPES)]
        t, u = f"t{n // len(SHAPES) % TABLES}", f"t{(n + 1) % TABLES}"
        sql.append(
            f"-- name: {name}_{n}\n-- claim: {claim.format(t=t)}\n-- example: {example}\n{text.format(t=t, u=u)};\n"
        )
        parameter = example.partition(" ")[0]
        row = {"list": "list[dict[str, object]]", "dict | None": "dict[str, object] | None", "int": "int"}[
            returns
        ]
        methods.append(f"    def {name}_{n}(self, {parameter}: {TYPES[parameter]}) -> {row}: ...")
    (folder / "schema.sql").write_text("\n".join(schema))
    (folder / "q.sql").write_text("\n".join(sql))
    head = "from dbtrust import SqlQueries\n\n\nclass Queries(SqlQueries, file='q.sql'):\n"
    (folder / "bench_queries.py").write_text(head + "\n".join(methods) + "\n")
    data = "\n".join(f'[data.t{n}]\nfile = "t{n}.sql"\nrows = {ROWS}' for n in range(TABLES))
    (folder / "dbtrust.toml").write_text(
        '[project]\nname = "bench"\npython = ["."]\n[postgres]\nschema = ["schema.sql"]\nqueries = ["q.sql"]\n'
        f'contracts = ["bench_queries:Queries"]\n{data}\n'
    )
    return folder


def bare(stage: PostgresStage, project: Project) -> None:
    """What any judge of these queries must ask the server."""
    assert stage.data is not None
    with stage.copy(stage.data) as copy:
        for turn in range(ROUNDS):
            if turn:
                with stage.scratch.admin(copy) as admin:
                    analyze(admin)
            with stage.owner(copy) as connection:
                for query in project.queries:
                    _bare(connection, query, first=turn == 0)


def _bare(connection: Any, query: Any, *, first: bool) -> None:
    bound = bind_params(query.sql)
    given = example_values(connection, bound, query.examples[0]) if first else _VALUES[query.subject]
    _VALUES[query.subject] = given
    values = [as_sent(given[name]) for name in bound.names]
    if first:
        describe(connection, bound.text, sent_types(connection, values))
    with connection.transaction(force_rollback=True):
        cursor = _raw(connection)
        cursor.execute((EXPLAIN + bound.text).encode(), values, prepare=False).fetchall()


_VALUES: dict[str, Any] = {}


def _raw(connection: Any) -> Any:
    import psycopg

    return psycopg.RawCursor(connection)


def judged(stage: PostgresStage, project: Project) -> list[Verdict]:
    """Contracts and claims, as `check` judges them."""
    catalog = stage.catalog()
    assert catalog is not None
    claims = parse_claims(project)
    parsed = [Parsed(query, claims.of(query.subject)) for query in project.queries]
    names = known_names(catalog.objects, "postgres")
    contracts, found = side_by_side(
        lambda: judge_contracts(stage, project.queries, project.bound, silent),
        lambda quiet: judge_queries(stage, parsed, names, silent, quiet=quiet),
    )
    return contracts + found


def timed(work: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return measure


@contextmanager
def opened(folder: Path) -> Iterator[tuple[PostgresStage, Project]]:
    config = load_config(folder)
    with project_path(config), Run() as run:
        project = read_project(config)
        assert not project.errors, project.errors
        with open_postgres(project, lambda: run, None, silent) as stage:
            yield stage, project


def main() -> None:
    asked = options(__doc__)
    count, rounds = (100, 2) if asked.quick else (500, 5)
    with tempfile.TemporaryDirectory() as name, opened(project_of(Path(name), count)) as (stage, project):
        bad = [v for v in judged(stage, project) if v.verdict != "holds"]
        assert not bad, bad[:3]
        cases = {
            "bare calls: contracts and claims": timed(lambda: bare(stage, project)),
            "dbtrust: contracts and claims": timed(lambda: judged(stage, project)),
        }
        medians = interleaved(cases, rounds)
        ratio = medians["dbtrust: contracts and claims"] / medians["bare calls: contracts and claims"]
        ratios = {f"{count} queries": {"dbtrust / bare calls": ratio}}
        show("claims", {"postgres": stage.version}, medians, "s", ratios, as_json=asked.json)


if __name__ == "__main__":
    main()
