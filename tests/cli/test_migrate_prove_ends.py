"""migrate prove where scripts do unusual things, and what a project's own files bring to it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dbtrust.cli.main import run
from dbtrust.migrate.patch_forms import executes
from dbtrust.migrate.sql_down import Draft
from dbtrust.report.redact import redact

TOML = '[project]\nname = "p"\n[postgres]\n[mongo]\n[migrations]\nfolder = "m"\n[data.people]\nfile = "people.sql"\nrows = 3\n'
ROWS = "INSERT INTO people (id, name, state) SELECT i, 'from the generator ' || i, 'old' FROM generate_series(1, :rows) i"
FILES = {
    "0001_people.sql": "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, state text NOT NULL CHECK (state IN ('old', 'new')), bought int NOT NULL DEFAULT 0);\n",
    "0001_people.down.sql": "DROP TABLE people;\n",
    # Holds over the generator's rows alone: those that are made up for the table may be "new".
    "0002_only_old.sql": "ALTER TABLE people ADD CONSTRAINT only_old CHECK (state = 'old' AND name LIKE 'from the generator%');\n",
    "0002_only_old.down.sql": "ALTER TABLE people DROP CONSTRAINT only_old;\n",
    "0003_copied.sql": "CREATE TABLE copied (id int PRIMARY KEY, grant_name text);\nCOPY copied (id, grant_name) FROM STDIN;\n1\tGRANT; it's\n2\t\\N\n\\.\nSELECT 1;\n",
    "0003_copied.down.sql": "DROP TABLE copied;\n",
    "0004_session.sql": "CREATE TABLE s (id int);\nDEALLOCATE ALL;\n",
    "0004_session.down.sql": "DROP TABLE s;\nDEALLOCATE ALL;\n",
    "0005_alone.sql": "-- migrate:up transaction:false\nDISCARD ALL;\nCREATE INDEX CONCURRENTLY by_name ON people (name);\n",
    "0005_alone.down.sql": "-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY by_name;\n",
    "0006_lossy.sql": "ALTER TABLE people ADD COLUMN phone text;\n",
    "0006_lossy.down.sql": "ALTER TABLE people DROP COLUMN phone;\n",
    "0007_orders.sql": (
        "CREATE TABLE orders (id int PRIMARY KEY, person int NOT NULL REFERENCES people, amount int NOT NULL);\n"
        "CREATE FUNCTION count_orders() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "  UPDATE people SET bought = bought + 1 WHERE id = NEW.person; RETURN NEW; END $$;\n"
        "CREATE TRIGGER counted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION count_orders();\n"
    ),
    "0007_orders.down.sql": "DROP TABLE orders;\nDROP FUNCTION count_orders();\n",
    "0008_more.sql": "ALTER TABLE orders ADD COLUMN note text;\n",
    "0008_more.down.sql": "ALTER TABLE orders DROP COLUMN note;\n",
    "0009_wrong.sql": "ALTER TABLE people ADD COLUMN age int;\n",
    "0009_wrong.down.sql": "UPDATE people SET bought = 0;\nALTER TABLE people DROP COLUMN age;\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> dict[tuple[str, str], dict[str, Any]]:
    """(number, check without migrate.) -> verdict of the history above, in a project with a generator."""
    root = tmp_path_factory.mktemp("ends")
    (root / "m").mkdir()
    (root / "dbtrust.toml").write_text(TOML, encoding="utf-8")
    (root / "people.sql").write_text(ROWS, encoding="utf-8")
    for name, text in FILES.items():
        (root / "m" / name).write_text(text, encoding="utf-8")
    report = tmp_path_factory.mktemp("report") / "report.json"
    code = run(
        [
            "migrate",
            "prove",
            str(root),
            "--format",
            "json",
            "--output",
            str(report),
            "--postgres",
            postgres_url,
        ]
    )
    document = json.loads(report.read_text(encoding="utf-8"))
    assert (code, document["errors"]) == (1, [])
    return {(v["subject"][-1], v["check"].partition(".")[2]): v for v in document["verdicts"]}


def test_the_rows_of_the_projects_generators_are_used(found: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert found["2", "populated"]["verdict"] == "holds", found["2", "populated"]["message"]
    assert found["2", "populated"]["evidence"]["rows"] >= 3


def test_scripts_may_bring_rows_and_deallocate_what_is_prepared(
    found: dict[tuple[str, str], dict[str, Any]],
) -> None:
    refuted = {key for key, v in found.items() if v["verdict"] == "refuted"}
    assert {number for number, _ in refuted} == {"9"}
    assert all(found[number, "up_again"]["verdict"] == "holds" for number in "345678")


def test_what_a_trigger_changes_while_new_code_writes_is_no_loss_of_the_down(
    found: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert found["7", "written"]["verdict"] == found["8", "written"]["verdict"] == "holds"
    # Beside it, the same column changed by the down itself.
    assert "bought" in found["9", "written"]["message"] + found["9", "populated"]["message"]


def test_a_statement_becomes_python_that_sqlalchemy_reads_as_it_was() -> None:
    draft = Draft(("ALTER TABLE t ADD COLUMN a text DEFAULT 'x:y'::text;", "SELECT ':z', 'it''s';"))
    shown = "\n".join(executes(draft))
    said: list[str] = []

    class Op:
        @staticmethod
        def execute(statement: str) -> None:
            import sqlalchemy

            said.append(str(sqlalchemy.text(statement).compile()))

    exec(shown, {"op": Op})  # noqa: S102 what is shown is what is run
    assert said == ["ALTER TABLE t ADD COLUMN a text DEFAULT 'x:y'::text", "SELECT ':z', 'it''s'"]


def test_one_word_of_ten_million_letters_ends_in_short_lines(tmp_path: Path, postgres_url: str) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "1_a.up.sql").write_text("CREATE TABLE a (id int);\n", encoding="utf-8")
    (folder / "1_a.down.sql").write_text("y" * 10_000_000, encoding="utf-8")
    report = tmp_path / "report.json"
    assert (
        run(
            [
                "migrate",
                "prove",
                str(folder),
                "--format",
                "json",
                "--output",
                str(report),
                "--postgres",
                postgres_url,
            ]
        )
        == 1
    )
    document = json.loads(report.read_text(encoding="utf-8"))
    assert report.stat().st_size < 100_000
    assert {v["check"]: v["verdict"] for v in document["verdicts"]}["migrate.down"] == "refuted"


def test_redacting_a_long_word_takes_time_in_proportion_to_it() -> None:
    """Four times the letters, far from sixteen times the time."""

    def cost(letters: int) -> float:
        start = time.process_time()
        redact("password='x' " + "a" * letters)
        return time.process_time() - start

    assert "x" not in redact("my_password='x'") and redact("PGPASSWORD=secret") == "PGPASSWORD=***"
    cost(1_000)
    assert min(cost(4_000_000) for _ in range(3)) < 12 * min(cost(1_000_000) for _ in range(3)) + 0.1
