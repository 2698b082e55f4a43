"""What a person may get wrong: one clear error with its place, the right exit code, and the rest still judged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.checks.conftest import PROJECTS, Checked, Edit

from dbtrust import Report, check
from dbtrust.model.errors import NO_SERVER, USAGE

BOOKS = "lib/queries/books.sql"
TOML = "dbtrust.toml"

# edits, place of the error, a piece of its message, a piece of the next step
ERRORS: dict[str, tuple[list[Edit], str, str, str]] = {
    "malformed toml": ([(TOML, 'name = "library"', "name = library")], f"{TOML}:2:", "not valid TOML", ""),
    "unknown key": ([(TOML, "schema = ", "shcema = ")], f"{TOML}:9:1", "unknown key postgres.shcema", "schema"),
    "unknown table": ([(TOML, "[migrations]", "[migration]")], f"{TOML}:", "unknown key migration", "migrations"),
    "wrong type": ([(TOML, "rows = 20_000", 'rows = "many"')], f"{TOML}:", "data.book.rows", ""),
    "missing name": ([(TOML, 'name = "library"\n', "")], f"{TOML}:1:1", "project.name is missing", "name"),
    "no such folder": ([(TOML, 'folder = "migrations"', 'folder = "migrate"')], f"{TOML}:", "no folder migrate", ""),
    "no such module": ([(TOML, "lib.rules", "lib.rulez")], f"{TOML}:", "no module named lib.rulez", ""),
    "no such object": ([(TOML, "lib.events:Readings", "lib.events:Reading5")], f"{TOML}:", "has no Reading5", "Reading"),
    "nothing matches": ([(TOML, "proof/*.sql", "prove/*.sql")], f"{TOML}:", "nothing matches prove/*.sql", ""),
    "a claim with a typo": ([(BOOKS, "-- claim: no sort", "-- claim: no sorts")], f"{BOOKS}:6:14", "sorts", "sort"),
    "a claim of the other engine": ([(BOOKS, "-- claim: no sort", "-- claim: covered")], f"{BOOKS}:6:11", "covered", ""),
    "a key with a typo": ([(BOOKS, "-- claim: no sort", "-- clain: no sort")], f"{BOOKS}:6:4", "clain", "claim"),
    "a claim after the SQL": ([(BOOKS, "SELECT count(*) FROM book;", "SELECT count(*)\n-- claim: no sort\nFROM book;")], f"{BOOKS}:", "after its SQL began", ""),
    "a doubled query": ([(BOOKS, "-- name: everything", "-- name: overdue")], f"{BOOKS}:28:10", "stands already in line 18", ""),
    "a doubled proof": ([("proof/book.sql", "-- name: long_past", "-- name: price_below_zero")], "proof/book.sql:13:10", "stands already", ""),
    "a generator that raises": ([("fill/loan.py", "    for number in range(n):\n", "    for number in range(n):\n        1 / 0\n")], "fill/loan.py:6:", "ZeroDivisionError", ""),
    "a generator that the server refuses": ([("fill/book.sql", "FROM generate_series", "FROM generate_serie")], "fill/book.sql:4:6", "42883", ""),
    "python that does not compile": ([("lib/rules.py", "def all_data", "deff all_data")], "lib/rules.py:", "SyntaxError", ""),
    "python that raises": ([("lib/rules.py", "from dbtrust import proof", "from dbtrust import proof\n1 / 0")], "lib/rules.py:4:", "ZeroDivisionError", ""),
    "a wrong option": ([("migrations/01_catalog.sql", "lock_timeout:2s", "lock_timout:2s")], "migrations/01_catalog.sql:3:", "lock_timout", "lock_timeout"),
    "two files with one number": ([("migrations/10_concurrent.sql", "-- migrate:up transaction", "-- migrate:up transaction")], "", "", ""),
    "a tests command that does not start": ([(TOML, 'tests = ["python", "-m"', 'tests = ["no-such-program", "-m"')], f"{TOML}:5:1", "does not start", ""),
}  # fmt: skip
del ERRORS["two files with one number"]


def messages(report: Report) -> list[tuple[str, str, str]]:
    return [(str(e.location), e.message, e.next) for e in report.errors]


@pytest.mark.parametrize("name", ERRORS)
def test_it_is_one_error_with_its_place(checked: Checked, name: str) -> None:
    edits, place, said, step = ERRORS[name]
    only = () if "tests" in name else ("query", "claim", "proof")
    report = checked(*edits, only=only)
    found = [m for m in messages(report) if said in m[1]]
    assert len(found) == 1, messages(report)
    assert found[0][0].startswith(place), found
    assert step in found[0][2], found
    assert "\n" not in found[0][1]
    assert report.exit_code == USAGE


@pytest.mark.parametrize("name", ["a claim with a typo", "python that raises", "a generator that raises"])
def test_the_rest_is_still_judged(checked: Checked, name: str) -> None:
    report = checked(*ERRORS[name][0], only=["proof", "schema"])
    holds = {v.subject for v in report.verdicts if v.verdict == "holds"}
    assert {"proof:price_below_zero", "file:sql/01_book.sql", "collection:readings"} <= holds


def test_two_files_with_one_number(checked: Checked, tmp_path: Path) -> None:
    report = checked(("migrations/02_readings.py", "from", "from"), only=["trace"])
    assert not report.errors
    (tmp_path / "project/migrations/002_again.sql").write_text("SELECT 1;", encoding="utf-8")
    (tmp_path / "project/migrations/04_x.down.sql").write_text("SELECT 1;", encoding="utf-8")
    again = check(tmp_path / "project", only=["trace"])
    assert any("number 02 is taken" in m or "number 002 is taken" in m for _, m, _ in messages(again))
    assert any("down without an up" in m for _, m, _ in messages(again))


def test_sql_that_is_none_is_refuted_at_its_token(checked: Checked) -> None:
    report = checked(
        (BOOKS, "SELECT count(*) FROM book;", "SELECT count(*)\nFORM book b;"), only=["postgres", "query"]
    )
    verdict = next(v for v in report.verdicts if v.subject == "query:books.everything")
    assert verdict.verdict == "refuted"
    assert str(verdict.location) == f"{BOOKS}:31:6"


def test_a_column_that_is_missing_is_refuted_at_its_name(checked: Checked) -> None:
    """The seed's monitoring queries name columns that the catalog does not have."""
    edit = (BOOKS, "SELECT count(*) FROM book;", "SELECT schemaname, tablename FROM pg_stat_user_tables;")
    verdict = next(
        v for v in checked(edit, only=["postgres", "query"]).verdicts if v.subject == "query:books.everything"
    )
    assert verdict.verdict == "refuted"
    assert "42703" in verdict.message
    assert str(verdict.location) == f"{BOOKS}:30:20"


def test_the_types_that_the_driver_sends_count(checked: Checked) -> None:
    """`$1 - interval` fails with PREPARE, which guesses interval for $1, and works with a datetime."""
    edit = (BOOKS, "-- name: everything\n-- claim: cost at most 100000\nSELECT count(*) FROM book;",
            "-- name: everything\n-- claim: cost at most 100000\n-- example: since = now()\nSELECT count(*) FROM book WHERE added >= :since - interval '7 days';")  # fmt: skip
    verdict = next(
        v for v in checked(edit, only=["postgres", "query"]).verdicts if v.subject == "query:books.everything"
    )
    assert verdict.verdict == "holds"


def test_a_query_without_an_example_is_unproved(checked: Checked) -> None:
    report = checked((BOOKS, "-- example: today = current_date\n", ""), only=["postgres", "query", "claim"])
    found = {v.reason for v in report.verdicts if v.subject == "query:books.overdue"}
    assert found == {"no_example"}


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ("today = current_dat", "42703"), ("today = 1,", "param = SQL"), ("todai = current_date", "gives no today"),
        ("today = current_date, more = 1", "no parameter more"), ("today = (", "syntax error"), ("", "param = SQL"),
    ],
)  # fmt: skip
def test_a_wrong_example_is_refuted(checked: Checked, example: str, said: str) -> None:
    report = checked((BOOKS, "today = current_date", example), only=["postgres", "query"])
    verdict = next(v for v in report.verdicts if v.subject == "query:books.overdue")
    assert (verdict.verdict, verdict.check) == ("refuted", "query.prepares")
    assert said in verdict.message
    assert verdict.location.line == 23


def test_a_statement_that_hangs_is_stopped(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbtrust.stage.postgres.STATEMENT_TIMEOUT_MS", 1500)
    edit = (BOOKS, "SELECT count(*) FROM book;", "SELECT count(*) FROM book, pg_sleep(60);")
    report = checked(edit, only=["postgres", "query", "claim"])
    found = {v.check: (v.verdict, v.reason) for v in report.verdicts if v.subject == "query:books.everything"}
    assert found == {"query.prepares": ("unproved", "timeout"), "claim.cost": ("unproved", "timeout")}
    assert any(v.verdict == "holds" for v in report.verdicts if v.subject == "query:books.newest")


def test_no_server_is_exit_3_and_the_other_half_is_judged(mongo_url: str) -> None:
    report = check(
        PROJECTS / "library", only=["schema", "proof"], postgres="postgresql://localhost:1/x", mongo=mongo_url
    )
    assert report.exit_code == NO_SERVER
    assert report.servers["postgres"] is None
    assert {v.reason for v in report.verdicts if v.engine == "postgres"} == {"no_server"}
    found = {v.verdict for v in report.verdicts if v.engine == "mongo"}
    assert "holds" in found and found <= {"holds", "not_applicable"}


def test_a_server_of_another_major_is_refused(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / TOML).write_text('[project]\nname = "p"\n[postgres]\nversion = "16"\n', encoding="utf-8")
    report = check(tmp_path, postgres=postgres_url)
    assert report.exit_code == NO_SERVER
    assert "the project wants 16" in report.errors[0].message


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / TOML).write_text('[project]\nname = "p"\n[postgres]\n[mongo]\n', encoding="utf-8")
    report = check(
        tmp_path,
        postgres="postgresql://u:geheim@localhost:1/x",
        mongo="mongodb://u:geheim@localhost:1/?serverSelectionTimeoutMS=100",
    )
    assert len(report.errors) == 2
    assert "geheim" not in str(report.to_dict())


def test_unreadable_files(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "q").mkdir(parents=True)
    (folder / TOML).write_text('[project]\nname = "p"\n[postgres]\nqueries = ["q/*.sql"]\n', encoding="utf-8")
    (folder / "q/latin.sql").write_bytes(b"-- name: a\nSELECT '\xe9'\n")
    (folder / "q/binary.sql").write_bytes(b"-- name: b\nSELECT 1\x00\n")
    (folder / "q/hostile 'name'\n\"x\".sql").write_text("-- name: c\nSELECT 1\n", encoding="utf-8")
    (folder / "q/large.sql").write_text("-- name: d\nSELECT 1\n" + "-- filler " * 550_000, encoding="utf-8")
    report = check(folder, only=["trace"])
    found = messages(report)
    assert ("q/latin.sql:2:9", "not UTF-8", "save the file as UTF-8") in found
    assert any(place == "q/binary.sql:2:9" for place, _, _ in found)
    assert len(found) == 2
    assert report.exit_code == USAGE


def test_a_folder_without_a_project(tmp_path: Path) -> None:
    report = check(tmp_path)
    assert report.exit_code == USAGE
    assert "no dbtrust.toml" in report.errors[0].message
    assert check(tmp_path / "nowhere").exit_code == USAGE


def test_pyproject_serves_as_well(tmp_path: Path) -> None:
    text = '[tool.other]\nx = 1\n[tool.dbtrust.project]\nname = "inside"\n[tool.dbtrust.check]\nfial_on = "error"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    report = check(tmp_path)
    assert str(report.errors[0].location) == "pyproject.toml:6:1"
    (tmp_path / "pyproject.toml").write_text(text.replace("fial_on", "fail_on"), encoding="utf-8")
    assert check(tmp_path).exit_code == 0
    assert check(tmp_path).project == "inside"


def test_an_unknown_id_is_refused() -> None:
    report = check(PROJECTS / "library", only=["clam.uses"])
    assert report.exit_code == USAGE
    assert "claim.uses" in report.errors[0].next


def test_nothing_of_the_project_stays_imported(checked: Checked) -> None:
    import sys

    before = list(sys.path)
    checked(only=["trace"])
    assert sys.path == before
    assert "lib.events" not in sys.modules
    assert not list((PROJECTS / "library").rglob("__pycache__")) or os.environ.get("PYTEST_XDIST_WORKER")


def test_a_query_that_no_method_runs_is_told(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / TOML).write_text(
        '[project]\nname = "p"\npython = ["."]\n[postgres]\nqueries = ["q.sql"]\ncontracts = ["code_of_p:Q"]\n',
        encoding="utf-8",
    )
    (tmp_path / "q.sql").write_text("-- name: one\nSELECT 1;\n-- name: two\nSELECT 2;\n", encoding="utf-8")
    (tmp_path / "code_of_p.py").write_text(
        "from dbtrust import SqlQueries\nclass Q(SqlQueries, file='q.sql'):\n    def one(self) -> int: ...\n",
        encoding="utf-8",
    )
    report = check(tmp_path, postgres=postgres_url)
    assert [(f.rule, f.severity, f.subject, str(f.location)) for f in report.findings] == [
        ("query.unbound", "info", "query:q.two", "q.sql:3:10")
    ]
    assert report.exit_code == 0


def test_another_database_of_the_target(tmp_path: Path, postgres_url: str) -> None:
    from dbtrust.checks.api import Options, run_check

    (tmp_path / TOML).write_text('[project]\nname = "p"\n[postgres]\n', encoding="utf-8")
    assert run_check(Options(tmp_path, postgres=postgres_url, database="template1")).exit_code == 0
    report = run_check(Options(tmp_path, postgres=postgres_url, database="no such database"))
    assert report.exit_code == NO_SERVER
    assert "no such database" in report.errors[0].message


def test_every_choice_is_judged(checked: Checked) -> None:
    """`{order}` takes each of the listed identifiers; in a literal it is text."""
    edit = (
        BOOKS,
        "-- name: everything\n-- claim: cost at most 100000\nSELECT count(*) FROM book;",
        "-- name: everything\n-- claim: no sort\n-- choice: column = {}\nSELECT id, '{{column}}' FROM book ORDER BY {{column}} LIMIT 5;",
    )
    good = checked((edit[0], edit[1], edit[2].format("id | price")), only=["postgres", "claim", "query"])
    found = {v.check: v.verdict for v in good.verdicts if v.subject == "query:books.everything"}
    assert found == {"query.prepares": "holds", "claim.no_sort": "holds"}


def test_one_bad_choice_is_refuted(checked: Checked) -> None:
    text = "-- name: everything\n-- claim: no sort\n-- choice: column = id | added\nSELECT id FROM book ORDER BY {column} LIMIT 5;"
    edit = (BOOKS, "-- name: everything\n-- claim: cost at most 100000\nSELECT count(*) FROM book;", text)
    report = checked(edit, only=["postgres", "claim"])
    found = {v.check: v.verdict for v in report.verdicts if v.subject == "query:books.everything"}
    assert found == {"claim.no_sort": "refuted"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-- claim no sort", "no sort"),
        ("-- Claim No Seq  Scan on t", "No Seq Scan on t"),
        ("--claims uses i", "uses i"),
        ("-- claim  examines at most 1 rows per result", "examines at most 1 rows per result"),
        ("-- claim that this sorts nothing", None),
        ("-- claim", None),
        ("-- clam bake: no sort", None),
        ("-- blame no sort", None),
        ("-- claim refused 23505", None),
        ("-- no sort", None),
    ],
)
def test_a_claim_without_its_colon_is_told(
    line: str, told: str | None, tmp_path: Path, postgres_url: str
) -> None:
    (tmp_path / TOML).write_text('[project]\nname = "p"\n[postgres]\nqueries = ["q.sql"]\n', encoding="utf-8")
    (tmp_path / "q.sql").write_text(f"-- name: one\n{line}\nSELECT 1 -- claim no sort\n;\n", encoding="utf-8")
    report = check(tmp_path, only=["query."], postgres=postgres_url)
    assert not report.errors
    assert [(f.rule, f.severity, f.subject, str(f.location)) for f in report.findings] == [
        ("query.claim_like", "warning", "query:q.one", f"q.sql:2:{line.lower().find('c') + 1}")
    ] * (told is not None)
    assert all(f"`{told}`" in f.message for f in report.findings)


def test_a_proof_without_its_colon_is_told(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / TOML).write_text('[project]\nname = "p"\n[postgres]\nproofs = ["p.sql"]\n', encoding="utf-8")
    text = "-- name: one\n-- claim true\n-- claim: true\n-- claim no sort\nSELECT true;\n"
    (tmp_path / "p.sql").write_text(text, encoding="utf-8")
    report = check(tmp_path, postgres=postgres_url)
    assert [(f.rule, f.subject, str(f.location)) for f in report.findings] == [
        ("query.claim_like", "proof:one", "p.sql:2:4")
    ]


def test_a_wrong_reason_is_not_given(tmp_path: Path, postgres_url: str) -> None:
    """A parameter that an example names wrongly, and a claim on a relation that the query does not read."""
    (tmp_path / TOML).write_text(
        '[project]\nname = "p"\n[postgres]\nschema = ["s.sql"]\nqueries = ["q.sql"]\n', encoding="utf-8"
    )
    (tmp_path / "s.sql").write_text("CREATE TABLE item (id int);", encoding="utf-8")
    text = "-- name: one\n-- example: kk = 1\nSELECT :k::int;\n"
    text += "-- name: two\n-- claim: examines at most 1 rows per result on item\nSELECT 1;\n"
    (tmp_path / "q.sql").write_text(text, encoding="utf-8")
    report = check(tmp_path, only=["query.", "claim."], postgres=postgres_url)
    found = {(v.check, v.subject): v for v in report.verdicts}
    one, two = found["query.prepares", "query:q.one"], found["claim.examines", "query:q.two"]
    assert (one.message, one.next) == (
        "the example gives no k",
        "rename kk, which is no parameter of the query",
    )
    assert (two.verdict, two.reason) == ("unproved", "undecided")
    assert two.message.startswith("the plan does not read item: found no access")
