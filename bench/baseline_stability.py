"""Do baselines stay the same over fresh samples of the statistics, and is a dropped index found every time?

Two projects: the shop, and TPC-H at scale 0.05 (--quick: 0.01 and 5 rounds). A baseline is taken as `claims baseline`
takes it. Then each round runs ANALYZE on the same rows and judges every query over that one sample, which is harder
than `check`: it refutes only what differs in three samples. Then every index that a plan uses is dropped, once in each
round, and each query that uses it in that round must be refuted. tpchgen-cli is installed into a folder of the cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
from common import options
from platformdirs import user_cache_path
from psycopg import sql

from dbtrust.claims.baseline import Observed, baseline_of
from dbtrust.claims.baseline_postgres import sampled_postgres
from dbtrust.claims.postgres import Parsed, judge_queries
from dbtrust.engine.postgres.explain import explain
from dbtrust.engine.postgres.load import analyze
from dbtrust.engine.runs import Run
from dbtrust.judge.baseline import Seen, judge_baseline, sample_of
from dbtrust.judge.claims import Names
from dbtrust.judge.outcomes import known_names
from dbtrust.judge.signature import index_named, unquoted
from dbtrust.model.baseline import Baseline
from dbtrust.model.progress import silent
from dbtrust.queries.placeholders import bind_params
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import read_project
from dbtrust.stage.postgres import PostgresStage, open_postgres

TOOL = "tpchgen-cli==4.0.0"
HERE = Path(__file__).resolve().parent
TABLES = ("region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem")
ROWS = """\
import csv
def rows(n, now, seed):
    with open({file!r}, encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)
"""


@dataclass(slots=True)
class Result:
    """What one project showed. `changed`: rounds in which a query was refuted; `alternatives`: plans kept beyond one."""

    name: str
    queries: int
    examples: int
    alternatives: int
    rounds: int
    changed: int = 0
    drops: int = 0
    found: int = 0
    missed: Counter[str] = field(default_factory=Counter[str])
    strange: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class Subject:
    """A query, its baseline and its examples as (example, statement, values)."""

    item: Observed
    baseline: Baseline
    runs: list[tuple[Seen, str, Sequence[Any]]]


def tpch(scale: str) -> Path:
    """A project over TPC-H at a scale, made once in the cache."""
    cache = user_cache_path("dbtrust") / "bench"
    tool, folder = cache / TOOL.replace("==", ""), cache / f"tpch-{scale}"
    if not (tool / "done").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tool), TOOL]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        (tool / "done").touch()
    if not (folder / "done").exists():
        command = [str(tool / "bin" / "tpchgen-cli"), "csv", "-s", scale, f"--output-dir={folder}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (folder / "done").touch()
    for file in ("schema.sql", "queries.sql"):
        shutil.copy(HERE / "tpch" / file, folder / file)
    text = '[project]\nname = "tpch"\n[postgres]\nschema = ["schema.sql"]\nqueries = ["queries.sql"]\n'
    for table in TABLES:
        (folder / f"{table}.py").write_text(ROWS.format(file=str(folder / f"{table}.csv")), encoding="utf-8")
        text += f'[data.{table}]\nfile = "{table}.py"\nrows = 1\n'
    (folder / "dbtrust.toml").write_text(text, encoding="utf-8")
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[tuple[PostgresStage, list[Parsed], Names]]:
    """The project on a server of its own."""
    config = load_config(folder)
    tables = [data for data in config.data if config.mongo is None or not data.file.endswith(".py")]
    config = replace(config, mongo=None, data=tuple(tables))
    with project_path(config), Run() as run, ExitStack() as stack:
        project = read_project(config)
        assert not project.errors, project.errors
        stage = stack.enter_context(open_postgres(project, lambda: run, None, silent))
        assert not stage.errors, stage.errors
        catalog = stage.catalog()
        assert catalog is not None
        parsed = [Parsed(query, ()) for query in project.queries]
        yield stage, parsed, known_names(catalog.objects, "postgres")


def measured(name: str, folder: Path, rounds: int, *, drops: int | None = None) -> Result:
    """Takes the baselines, then judges them over and over; indexes are dropped in the first `drops` rounds (None: in all)."""
    with opened(folder) as (stage, parsed, names):
        judge_queries(stage, parsed, names, silent)
        items = sampled_postgres(stage, parsed, names, silent)
        subjects = [_subject(item, p, names) for item, p in zip(items, parsed, strict=True)]
        examples = [e for s in subjects for e in s.baseline.examples]
        extra = sum(len(e.plans) - 1 for e in examples)
        result = Result(name, len(subjects), len(examples), extra, rounds)
        assert stage.data is not None
        with stage.copy(stage.data) as database:
            for number in range(rounds):
                with stage.scratch.admin(database) as admin:
                    analyze(admin)
                    used = _round(admin, subjects, names, result)
                    for index, users in sorted(used.items() if drops is None or number < drops else ()):
                        _drop(admin, index, users, names, result)
    return result


def _subject(item: Observed, parsed: Parsed, names: Names) -> Subject:
    assert item.problem is None, (item.subject, item.problem)
    runs = [
        (seen, bind_params((case.query or parsed.query).sql).text, case.values)
        for seen, case in zip(item.examples, parsed.cases, strict=True)
    ]
    return Subject(item, baseline_of(item, None, names), runs)


def _round(
    admin: psycopg.Connection[Any], subjects: list[Subject], names: Names, result: Result
) -> dict[str, list[Subject]]:
    """Judges every query over one sample; index -> the queries that use it now."""
    now = {id(s): _seen(admin, s, names) for s in subjects}
    used: dict[str, list[Subject]] = {}
    changed = False
    for subject in subjects:
        judged = judge_baseline(subject.baseline, now[id(subject)], names, subject.item.server)
        if judged.outcome != "holds":
            result.strange[subject.item.subject] += 1
            changed = True
        trees = [line for e in now[id(subject)] for s in e.samples for line in s.decision.tree]
        for index in {index for line in trees if (index := index_named(line))}:
            used.setdefault(index, []).append(subject)
    result.changed += changed
    return used


def _drop(
    admin: psycopg.Connection[Any], index: str, users: list[Subject], names: Names, result: Result
) -> None:
    schema, name = unquoted(index)
    left = replace(names, indexes=names.indexes - {(schema or "public", name)})
    with admin.transaction(force_rollback=True):
        table = _constraint(admin, schema or "public", name)
        admin.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(
                sql.Identifier(*table), sql.Identifier(name)
            )
            if table
            else sql.SQL("DROP INDEX {}").format(sql.Identifier(schema or "public", name))
        )
        for subject in users:
            judged = judge_baseline(subject.baseline, _seen(admin, subject, left), left, subject.item.server)
            result.drops += 1
            result.found += judged.outcome == "refuted"
            if judged.outcome != "refuted":
                result.missed[f"{subject.item.subject} without {index}"] += 1


def _constraint(admin: psycopg.Connection[Any], schema: str, name: str) -> tuple[str, str] | None:
    """The table whose constraint owns the index."""
    found = admin.execute(
        "SELECT n.nspname, t.relname FROM pg_constraint c JOIN pg_class i ON i.oid = c.conindid JOIN pg_class t ON t.oid = c.conrelid"
        " JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relname = %s AND n.nspname = %s AND c.contype IN ('p', 'u')",
        [name, schema],
    ).fetchone()
    return (found[0], found[1]) if found else None


def _seen(admin: psycopg.Connection[Any], subject: Subject, names: Names) -> list[Seen]:
    """One sample of every example."""
    found: list[Seen] = []
    for seen, text, values in subject.runs:
        sample = sample_of([explain(admin, text, values, analyze=False)], names)
        assert sample is not None
        found.append(Seen(seen.label, seen.given, seen.choices, [sample]))
    return found


def main() -> None:
    """Measures and prints."""
    asked = options(__doc__)
    rounds, scale = (5, "0.01") if asked.quick else (20, "0.05")
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        shutil.copytree(HERE.parent / "examples" / "shop", shop)
        results = [measured("shop", shop, rounds), measured(f"TPC-H {scale}", tpch(scale), rounds)]
    if asked.json:
        rows = [
            {"case": f"{r.name}: {what}", "tool": "dbtrust", "median": value, "unit": unit}
            for r in results
            for what, value, unit in (
                ("rounds with a change", r.changed, f"of {r.rounds}"),
                ("dropped indexes found", r.found, f"of {r.drops}"),
            )
        ]
        json.dump({"bench": "baseline_stability", "versions": {}, "rows": rows, "ratios": {}}, sys.stdout)
        return
    for r in results:
        print(
            f"{r.name}: {r.queries} queries, {r.examples} examples, {r.alternatives} plans beyond one an example"
        )
        print(f"  rounds of ANALYZE with a change: {r.changed} of {r.rounds}{_told(r.strange)}")
        print(f"  dropped indexes found: {r.found} of {r.drops}{_told(r.missed)}")


def _told(counter: Counter[str]) -> str:
    return f" ({', '.join(f'{name}: {n}' for name, n in sorted(counter.items()))})" if counter else ""


if __name__ == "__main__":
    main()
