"""Histories written down in the tests, proven once for each file on the session's server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from dbtrust.engine.postgres.scratch import Scratch, TargetHost
from dbtrust.migrate.postgres import opened, prove_postgres
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.source.migrations import History, read_scripts
from dbtrust.stage.postgres import PostgresStage

#: (label, up, down); a down that is None is missing.
Step = tuple[str, str, str | None]
Found = dict[tuple[str, str], Verdict]
Prove = Callable[..., Found]


def migration(number: int, name: str, up: str, down: str | None) -> Migration:
    file = f"migrations/{number:04d}_{name.replace(' ', '_')}.sql"
    up_script, _ = read_scripts(up, file)
    down_script = read_scripts(down, file.replace(".sql", ".down.sql"))[0] if down is not None else None
    return Migration("postgres", f"{number:04d}", name, Location(file, 1, 1), up=up_script, down=down_script)


@pytest.fixture(scope="session")
def stage(postgres_url: str) -> Iterator[PostgresStage]:
    scratch = Scratch(TargetHost(postgres_url))
    yield PostgresStage(scratch, scratch.host.version, embedded=False)
    scratch.close()


@pytest.fixture(scope="session")
def prove(stage: PostgresStage) -> Prove:
    """prove(steps): (label of the migration, check) -> verdict; the migrations are one history, in this order.

    With `base` each of them is judged by itself, on what that SQL has made.
    """

    def run(steps: Sequence[Step], base: str | None = None) -> Found:
        made = [migration(n, *step) for n, step in enumerate(steps, 1)]
        labels = {m.subject: m.name for m in made}
        if base is None:
            verdicts = prove_postgres(stage, History(tuple(made), ()))
        else:
            with opened(stage) as prover:
                assert prover.apply(migration(0, "base", base, None)), prover.verdicts
                for one in made:
                    prover.judge(one)
                verdicts = prover.verdicts
        return {(labels[v.subject], v.check): v for v in verdicts if v.check != "migrate.verify"}

    return run


def proven_pairs(
    prove: Prove, losses: Mapping[str, tuple[str, str, str]], good: Mapping[str, tuple[str, str]], base: str
) -> Found:
    """Ups and downs that lose something, with what is said of it, and their twins that do not, in one history."""
    steps: list[Step] = [(name, up, down) for name, (up, down, _) in losses.items()]
    return prove(steps + [(name, up, down) for name, (up, down) in good.items()], base)


def assert_lossy(verdict: Verdict, said: str) -> None:
    """It is refuted, as a loss, and what is lost is named."""
    assert (verdict.verdict, verdict.evidence["kind"]) == ("refuted", "lossy"), verdict
    assert said in verdict.message


def assert_quiet(found: Found, name: str) -> None:
    """But for rows written after the up, nothing of it is refuted or open."""
    mine = [v for (label, check), v in found.items() if label == name and check != "migrate.written"]
    assert [v for v in mine if v.verdict in ("refuted", "unproved")] == []
