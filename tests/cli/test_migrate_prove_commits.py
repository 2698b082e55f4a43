"""Scripts that end their own transactions, and what one history's trouble costs the others: nothing."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.cli.migrating import FILES
from tests.cli.migrating import write as write_own
from tests.cli.test_migrate_prove_strange import proven

A = "CREATE TABLE a (id int PRIMARY KEY, v text);"
COMMITTING = {
    "commit": ("ALTER TABLE a ADD w text; COMMIT;", "ALTER TABLE a DROP w;"),
    "between": (
        "ALTER TABLE a ADD w text; COMMIT; ALTER TABLE a ADD x text",
        "ALTER TABLE a DROP x, DROP w;",
    ),
    "pairs": (
        "BEGIN; ALTER TABLE a ADD w text; COMMIT; BEGIN; ALTER TABLE a ADD x text; COMMIT;",
        "BEGIN; ALTER TABLE a DROP x; COMMIT; ALTER TABLE a DROP w;",
    ),
    "rollback": ("BEGIN; ALTER TABLE a ADD w text; ROLLBACK;", "SELECT 1;"),
    "open": ("BEGIN; ALTER TABLE a ADD w text;", "ALTER TABLE a DROP w;"),
    # None of these ends a transaction.
    "none": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SAVEPOINT s; ROLLBACK TO s;"
        " CREATE VIEW v AS SELECT CASE WHEN true THEN 'COMMIT;' ELSE '; END;'\nEND;",
        "DROP VIEW v; DROP FUNCTION f;",
    ),
}


def history(folder: Path, up: str, down: str) -> None:
    folder.mkdir(parents=True)
    texts = {"1_a.up": A, "1_a.down": "DROP TABLE a;", "2_b.up": up, "2_b.down": down}
    for name, text in texts.items():
        (folder / f"{name}.sql").write_text(text + "\n", encoding="utf-8")


def of(document: dict[str, Any], folder: str, number: str = "2") -> dict[str, dict[str, Any]]:
    return {
        v["check"]: v
        for v in document["verdicts"]
        if v["evidence"].get("history") == folder and v["subject"] == f"migration:{number}"
    }


def test_a_script_that_commits_by_itself_is_proven_on_a_copy(tmp_path: Path, postgres_url: str) -> None:
    root = tmp_path / "p"
    for name, (up, down) in COMMITTING.items():
        history(root / name, up, down)
    marked = "-- +goose Up\n" + A + " COMMIT;\n-- +goose Down\nDROP TABLE a;\n"
    (root / "goose").mkdir()
    (root / "goose" / "2_a.sql").write_text(marked, encoding="utf-8")
    code, document = proven(root, "--postgres", postgres_url)
    assert code == 1 and document["errors"] == [], document["errors"]
    for name in ("commit", "between", "pairs", "rollback", "none", "goose"):
        found = of(document, name)
        assert {v["verdict"] for v in found.values()} <= {"holds", "not_applicable"}, (name, found)
        assert found["migrate.down"]["verdict"] == "holds", (name, found)
    opened = of(document, "open")["migrate.up"]
    assert opened["verdict"] == "refuted" and "BEGIN without a COMMIT" in opened["message"], opened


def test_in_a_folder_that_dbtrust_runs_a_commit_is_what_migrate_up_says(
    tmp_path: Path, postgres_url: str
) -> None:
    files = {k: v for k, v in FILES.items() if k.endswith(".sql")}
    files["0003_b.sql"] = (
        "-- migrate:up\nALTER TABLE a ADD v text; COMMIT;\n-- migrate:down\nALTER TABLE a DROP v;\n"
    )
    root = write_own(tmp_path / "p", files)
    code, document = proven(root, "--postgres", postgres_url)
    (up,) = [
        v for v in document["verdicts"] if (v["subject"], v["check"]) == ("migration:0003", "migrate.up")
    ]
    assert code == 1 and up["verdict"] == "refuted" and up["location"]["line"] == 2, up
    assert "COMMIT inside a migration that is one transaction" in up["message"], up
    assert "transaction:false" in up["next"], up


def test_an_error_that_nobody_expected_costs_the_other_histories_nothing(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbtrust.migrate import postgres_histories

    root, real = tmp_path / "p", postgres_histories.prove_history
    for name in ("one", "three", "two"):
        history(root / name, "ALTER TABLE a ADD w text;", "ALTER TABLE a DROP w;")

    def surprising(stage: Any, reading: Any, *more: Any) -> Any:
        if reading.folder == "three":
            with stage.empty() as connection:
                connection.execute("RELEASE SAVEPOINT s")
        return real(stage, reading, *more)

    monkeypatch.setattr(postgres_histories, "prove_history", surprising)
    code, document = proven(root, "--postgres", postgres_url)
    assert code != 5 and len(document["errors"]) == 1, document["errors"]
    assert "three" in document["errors"][0]["message"] and "25P01" in document["errors"][0]["message"]
    assert {v["verdict"] for v in of(document, "three").values()} == {"unproved"}
    for name in ("one", "two"):
        assert of(document, name)["migrate.down"]["verdict"] == "holds", name


def test_nothing_of_a_number_that_two_files_have_is_judged_and_nothing_behind_it(
    tmp_path: Path, postgres_url: str
) -> None:
    root = tmp_path / "p"
    history(root / "m", "ALTER TABLE a ADD w text;", "ALTER TABLE a DROP w;")
    for name, text in (
        ("2_c.up", "CREATE TABLE c (id int);"),
        ("2_c.down", "DROP TABLE c;"),
        ("3_d.up", "CREATE TABLE d (id int);"),
    ):
        (root / "m" / f"{name}.sql").write_text(text, encoding="utf-8")
    code, document = proven(root, "--postgres", postgres_url)
    assert code == 2 and "taken by" in document["errors"][0]["message"], document["errors"]
    assert of(document, "m", "1")["migrate.down"]["verdict"] == "holds"
    for number in ("2", "3"):
        found = of(document, "m", number)
        assert {v["verdict"] for v in found.values()} == {"unproved"}, found
        assert not any("patch" in v["evidence"] for v in found.values())
        assert all("2_b.up.sql" in v["message"] and "2_c.up.sql" in v["message"] for v in found.values()), (
            found
        )


def test_a_right_that_the_lent_role_lacks_refutes_nothing(
    tmp_path: Path, postgres_url: str, pg: psycopg.Connection[Any]
) -> None:
    role = f"lent_{uuid.uuid4().hex[:8]}"
    pg.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD 'x'").format(sql.Identifier(role)))
    root = tmp_path / "p"
    for name, up, down in (
        ("role", f"CREATE ROLE {role}_svc;", f"DROP ROLE {role}_svc;"),
        ("language", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y';", "DROP FUNCTION f;"),
        ("own", "REVOKE ALL ON a FROM CURRENT_USER; SELECT * FROM a;", "SELECT 1;"),
    ):
        history(root / name, up, down)
    try:
        code, document = proven(root, "--postgres", make_conninfo(postgres_url, user=role, password="x"))
    finally:
        pg.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    for name in ("role", "language"):
        up = of(document, name)["migrate.up"]
        assert up["verdict"] == "unproved" and "42501" in up["message"] and "--postgres" in up["next"], up
    own = of(document, "own")["migrate.up"]
    assert code == 1 and own["verdict"] == "refuted" and "42501" in own["message"], own


def test_an_empty_down_is_none_and_a_name_of_two_lines_is_told(tmp_path: Path, postgres_url: str) -> None:
    root = tmp_path / "p"
    history(root / "m", "ALTER TABLE a ADD w text;", "ALTER TABLE a DROP w;")
    (root / "m" / "3_b\nc.up.sql").write_text("SELECT 1;", encoding="utf-8")
    (root / "dbmate").mkdir()
    text = f"-- migrate:up\n{A}\n-- migrate:down\n-- nothing\n"
    (root / "dbmate" / "1_a.sql").write_text(text, encoding="utf-8")
    code, document = proven(root, "--postgres", postgres_url)
    down = of(document, "dbmate", "1")["migrate.down"]
    assert (down["verdict"], down["reason"]) == ("unproved", "no_down"), down
    assert code == 2 and [e["message"] for e in document["errors"]] == ["a line break in a file's name"]
