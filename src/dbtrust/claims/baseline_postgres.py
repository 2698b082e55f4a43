"""What the queries of PostgreSQL do now, and more samples of it for a baseline that is to last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from dbtrust.claims.baseline import LEAST, MOST, QUIET, Observed, add, seen
from dbtrust.claims.cases import Parsed
from dbtrust.claims.postgres import as_run
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.explain import explain
from dbtrust.engine.postgres.load import analyze
from dbtrust.judge.baseline import Seen
from dbtrust.judge.claims import Judged, Names
from dbtrust.model.plan import Plan
from dbtrust.model.progress import Progress
from dbtrust.queries.placeholders import bind_params
from dbtrust.stage.postgres import PostgresStage

#: One example of a query: where its plans go, the statement as it is run, and its values.
_Run = tuple[Seen, str, tuple[Any, ...]]


def observed_postgres(stage: PostgresStage, parsed: Sequence[Parsed], names: Names) -> list[Observed]:
    """Every query that was judged, with the plans of its examples. Values that nobody gave are left out."""
    return [_observed(stage, item, names)[0] for item in parsed]


def _observed(stage: PostgresStage, item: Parsed, names: Names) -> tuple[Observed, list[_Run]]:
    query = item.query
    found = Observed("postgres", query.subject, query.location, stage.version.split(".")[0], stage.evidence)
    runs: list[_Run] = []
    for case in item.cases:
        variant, example = case.query or query, case.example
        bound = bind_params(variant.sql)
        if case.drawn:
            continue
        label, given = (example.label, example.text) if example else ("", "")
        now = seen(case, label, given, case.words, names, data=stage.data is not None)
        found.examples.append(now)
        runs.append((now, as_run(bound, item.iterates), case.values))
    return found, runs


def sampled_postgres(
    stage: PostgresStage, parsed: Sequence[Parsed], names: Names, progress: Progress
) -> list[Observed]:
    """The same over so many samples of the statistics that another one is not likely to bring another plan.

    The statements are only planned; what they were when they ran is the first samples.
    """
    pairs = [_observed(stage, item, names) for item in parsed]
    runs = [run for found, runs in pairs if found.problem is None for run in runs]
    if runs and stage.data is not None:
        with stage.copy(stage.data) as name, stage.scratch.admin(name) as admin:
            for number in _rounds(runs):
                progress(f"planning {len(runs)} examples, sample {number + 1}")
                analyze(admin)
                with stage.owner(name) as connection:
                    runs = [run for run in runs if _plan(connection, run, names)]
    return [found for found, _ in pairs]


def _rounds(runs: list[_Run]) -> Iterator[int]:
    """Numbers of samples to take, until the last ones brought nothing new."""
    quiet, known = 0, _plans(runs)
    for number in range(max(len(now.samples) for now, _, _ in runs), MOST):
        yield number
        quiet = quiet + 1 if _plans(runs) == known else 0
        known = _plans(runs)
        if number + 1 >= LEAST and quiet >= QUIET:
            return


def _plans(runs: list[_Run]) -> int:
    return sum(len({sample.decision.tree for sample in now.samples}) for now, _, _ in runs)


def _plan(connection: psycopg.Connection[Any], run: _Run, names: Names) -> bool:
    """Adds one sample; False where the statement cannot be planned any more."""
    now, text, values = run
    try:
        plan: Plan = explain(connection, text, values, analyze=False)
    except psycopg.Error as error:
        now.problem = Judged("unproved", describe(error), "server_error")
        return False
    add(now, [plan], names)
    return True
