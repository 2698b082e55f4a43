"""The project's own tests as killers: the seed's published test, tests that fail anyway, several mutants at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.checks.conftest import PROJECTS, librarian
from tests.schema.conftest import Mutated, fates, total

from dbtrust import check
from dbtrust.report.text import render_text

TOML = """
[project]
name = "seed"
tests = ["python", "run.py"]
[postgres]
version = "17"
schema = ["src/models/*.sql"]
"""
#: What psql -v ON_ERROR_STOP=1 -f does: the first error ends it.
RUN = """
import os, pathlib, psycopg
with psycopg.connect(os.environ["DBTRUST_POSTGRES"], autocommit=True) as connection:
    connection.execute(pathlib.Path("tests/db/test_user_schema.sql").read_text())
"""
__all__ = ["librarian"]
SEED = Path(__file__).parent / "seed"
#: The objects of the seed's schema whose single loss its published test was measured against.
TWELVE = {
    "constraint:users.email_not_null": "users.email accepts NULL",
    "constraint:users.username_not_null": "users.username accepts NULL",
    "constraint:users.users_email_key": "UNIQUE users_email_key dropped",
    "constraint:users.valid_email": "CHECK valid_email dropped",
    "constraint:users.valid_username": "CHECK valid_username dropped",
    "constraint:users.created_at_default": "users.created_at has no default",
    "constraint:users.updated_at_default": "users.updated_at has no default",
    "index:idx_users_created_at": "index idx_users_created_at dropped",
    "index:idx_active_users": "index idx_active_users dropped",
    "index:idx_users_metadata": "index idx_users_metadata dropped",
    "index:idx_users_search": "index idx_users_search dropped",
    "trigger:users.update_users_updated_at": "trigger update_users_updated_at dropped",
}


def test_the_published_test_of_the_seed_kills_0_of_12(mutated: Mutated) -> None:
    report = mutated({
        "dbtrust.toml": TOML, "run.py": RUN,
        "src/models/user.sql": (SEED / "user.sql").read_text(encoding="utf-8"),
        "tests/db/test_user_schema.sql": (SEED / "test_user_schema.sql").read_text(encoding="utf-8"),
    })  # fmt: skip
    found = fates(report)
    killed = [subject for subject, what in TWELVE.items() if found[subject, what][0] == "killed"]
    assert f"{len(killed)} of {len(TWELVE)}" == "0 of 12"
    # Of all mutants it notices one: without an identity nothing can be inserted at all.
    assert [key for key, (outcome, _) in found.items() if outcome == "killed"] == [
        ("constraint:users.id_identity", "users.id is no longer generated")
    ]
    score = re.match(r"mutation score 1 of (\d+) \(\d%\)", total(report).message)
    assert score and int(score[1]) >= 20
    shown = render_text(report)
    assert f"because: {score[0]}" in shown
    assert "CHECK valid_username dropped" in shown
    assert report.exit_code == 1


SIX = {
    "dbtrust.toml": TOML,
    "src/models/a.sql": "".join(
        f"CREATE TABLE t{n} (id int PRIMARY KEY, n int NOT NULL);\n" for n in range(6)
    ),
}


def test_tests_that_fail_anyway_show_nothing(mutated: Mutated) -> None:
    report = mutated({**SIX, "run.py": "raise SystemExit('broken')"})
    assert {outcome for outcome, _ in fates(report).values()} == {"unproved", "equivalent"}
    assert total(report).verdict == "unproved"
    assert "the tests do not pass without a mutant" in total(report).message
    assert "broken" in total(report).message
    assert report.exit_code == 0


def test_mutants_of_tables_without_ties_share_a_run_and_are_still_told_apart(
    mutated: Mutated, tmp_path: Path
) -> None:
    run = """
import os, pathlib, psycopg
with pathlib.Path("runs.txt").open("a") as file:
    file.write("x")
with psycopg.connect(os.environ["DBTRUST_POSTGRES"], autocommit=True) as connection:
    try:
        connection.execute("INSERT INTO t3 VALUES (1, NULL)")
    except psycopg.errors.NotNullViolation:
        raise SystemExit(0)
    raise SystemExit("t3 took it")
"""
    report = mutated({**SIX, "run.py": run})
    found = fates(report)
    killed = {key: by for key, (outcome, by) in found.items() if outcome == "killed"}
    assert killed == {("constraint:t3.n_not_null", "t3.n accepts NULL"): "tests: exit code 1: t3 took it"}
    survivors = sum(outcome == "survived" for outcome, _ in found.values())
    assert survivors == 17
    # Each mutant alone would be 18 runs, and one without a mutant.
    assert len((tmp_path / "project" / "runs.txt").read_text(encoding="utf-8")) < 15


def test_one_engine_of_a_project_of_both(
    tmp_path: Path, postgres_url: str, mongo_url: str, librarian: None
) -> None:
    """The tests need both engines: what claims and proofs do not notice is undecided."""
    shutil.copytree(PROJECTS / "library", tmp_path / "library", ignore=shutil.ignore_patterns("__pycache__"))
    only = ["schema.mutation", "postgres"]
    report = check(tmp_path / "library", only=only, postgres=postgres_url, mongo=mongo_url)
    found = fates(report)
    assert {v.engine for v in report.verdicts} == {"postgres"}
    assert {outcome for outcome, _ in found.values()} == {"killed", "equivalent", "unproved"}
    by = {key: by for key, (outcome, by) in found.items() if outcome == "killed"}
    assert by["constraint:book.price_is_fair", "CHECK price_is_fair dropped"] == "proof:price_below_zero"
    assert (
        by["constraint:isbn.isbn_digits", "CHECK isbn_digits of domain isbn dropped"]
        == "proof:isbn_has_digits"
    )
    assert (
        by["constraint:loans.loan.loan_book", "FOREIGN KEY loan_book dropped"] == "proof:a_loan_needs_a_book"
    )
    assert by["trigger:loans.loan.due_is_near", "trigger due_is_near dropped"] == "proof:long_past"
    assert by["index:book_by_shelf", "index book_by_shelf dropped"].startswith(
        "query:books.newest (uses book_by_shelf"
    )
    undecided = next(v for v in report.verdicts if v.verdict == "unproved")
    assert "the tests need every engine of the project" in undecided.message
    assert undecided.reason == "undecided"
    assert total(report).verdict == "unproved"
    assert report.exit_code == 0
