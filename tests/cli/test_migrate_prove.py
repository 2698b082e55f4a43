"""dbtrust migrate prove on folders without a dbtrust.toml: each layout on a real server, with a right and a wrong down."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import dbtrust.report
from dbtrust.cli.main import run

A, DA = "CREATE TABLE a (id int PRIMARY KEY, n text NOT NULL);\n", "DROP TABLE a;\n"
B, RIGHT, WRONG = (
    "ALTER TABLE a ALTER n DROP NOT NULL;\n",
    "ALTER TABLE a ALTER n SET NOT NULL;\n",
    "SELECT 1;\n",
)
C, DC = "CREATE INDEX CONCURRENTLY i ON a (n);\n", "DROP INDEX CONCURRENTLY i;\n"
Proved = Callable[..., tuple[int, dict[str, Any]]]


def tree(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads((Path(dbtrust.report.__file__).parent / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def proved(tmp_path: Path, schema: Any) -> Proved:
    """proved(folder, *options): exit code and document."""

    def prove(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
        file = tmp_path / "report.json"
        code = run(["migrate", "prove", str(folder), "--format", "json", "--output", str(file), *options])
        document = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.validate(document, schema)
        return code, document

    return prove


def verdicts(document: Mapping[str, Any], history: str = "") -> dict[tuple[str, str], str]:
    """(number, check without migrate.) -> verdict, of one history."""
    return {
        (v["subject"].partition(":")[2], v["check"].partition(".")[2]): v["verdict"]
        for v in document["verdicts"]
        if not history or v["evidence"]["history"] == history
    }


#: Two migrations each, and a third that no transaction may hold; the second down leaves NOT NULL away.
LAYOUTS: dict[str, dict[str, str]] = {
    "golang/m": {"1_a.up.sql": A, "1_a.down.sql": DA, "2_b.up.sql": B, "2_b.down.sql": WRONG, "3_c.up.sql": C, "3_c.down.sql": DC},
    "diesel/m": {
        "1_a/up.sql": A, "1_a/down.sql": DA, "2_b/up.sql": B, "2_b/down.sql": WRONG,
        "3_c/up.sql": C, "3_c/down.sql": DC, "3_c/metadata.toml": "run_in_transaction = false",
    },
    "dbmate/m": {
        "1_a.sql": f"-- migrate:up\n{A}-- migrate:down\n{DA}", "2_b.sql": f"-- migrate:up\n{B}-- migrate:down\n{WRONG}",
        "3_c.sql": f"-- migrate:up transaction:false\n{C}-- migrate:down transaction:false\n{DC}",
    },
    "goose/m": {
        "1_a.sql": f"-- +goose Up\n-- +goose StatementBegin\n{A}-- +goose StatementEnd\n-- +goose Down\n{DA}",
        "2_b.sql": f"-- +goose Up\n{B}-- +goose Down\n{WRONG}",
        "3_c.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{C}-- +goose Down\n{DC}",
    },
    "sqlmigrate/m": {
        "1_a.sql": f"-- +migrate Up\n{A}-- +migrate Down\n{DA}", "2_b.sql": f"-- +migrate Up\n{B}-- +migrate Down\n{WRONG}",
        "3_c.sql": f"-- +migrate Up notransaction\n{C}-- +migrate Down notransaction\n{DC}",
    },
    "flyway/m": {"V1__a.sql": A, "U1__a.sql": DA, "V2__b.sql": B, "U2__b.sql": WRONG, "V3__c.sql": C, "U3__c.sql": DC, "R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT n FROM a;"},
    "sqlx/migrations": {
        "../Cargo.toml": "", "1_a.up.sql": A, "1_a.down.sql": DA, "2_b.up.sql": B, "2_b.down.sql": WRONG,
        "3_c.up.sql": f"-- no-transaction\n{C}", "3_c.down.sql": f"-- no-transaction\n{DC}",
    },
    "plain/m": {"1_a.sql": A, "1_a_rollback.sql": DA, "2_b.sql": B, "2_b.rollback.sql": WRONG, "3_c.sql": C, "rollback/3_c.sql": DC},
    "dialects/m": {
        "1_a.postgres.up.sql": A, "1_a.postgres.down.sql": DA, "1_a.mysql.up.sql": "CREATE TABLE `a` (x);",
        "2_b.up.sql": B, "2_b.down.sql": WRONG, "3_c.up.sql": C, "3_c.down.sql": DC,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> tuple[int, dict[str, Any]]:
    """Every layout in one folder, proven in one run."""
    root = tmp_path_factory.mktemp("layouts")
    tree(
        root, {f"{folder}/{name}": text for folder, files in LAYOUTS.items() for name, text in files.items()}
    )
    file = tmp_path_factory.mktemp("report") / "report.json"
    code = run(
        ["migrate", "prove", str(root), "--format", "json", "--output", str(file), "--postgres", postgres_url]
    )
    return code, json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("history", LAYOUTS)
def test_the_wrong_down_of_each_layout_is_refuted(
    everything: tuple[int, dict[str, Any]], history: str
) -> None:
    code, document = everything
    assert code == 1 and document["errors"] == []
    found = verdicts(document, history)
    refuted = [key for key, verdict in found.items() if verdict == "refuted"]
    assert refuted == [("2", "down")], refuted
    held = {(n, c) for n in ("1", "2", "3") for c in ("up", "down", "up_again")} - {("2", "down")}
    assert all(found[key] == "holds" for key in held)


def test_the_wrong_down_is_placed_in_its_file(everything: tuple[int, dict[str, Any]]) -> None:
    places = {
        v["evidence"]["history"]: v["location"]
        for v in everything[1]["verdicts"]
        if v["verdict"] == "refuted"
    }
    assert places["golang/m"]["file"] == "golang/m/2_b.down.sql"
    assert (places["goose/m"]["file"], places["goose/m"]["line"]) == ("goose/m/2_b.sql", 3)
    found = verdicts(everything[1], "flyway/m")
    assert found["R__v", "up"] == "holds" and found["R__v", "down"] == "not_applicable"
    assert {
        "what": "dialects/m/1_a.mysql.up.sql",
        "needs": "MySQL; dbtrust proves PostgreSQL's",
    } in everything[1]["not_examined"]


def test_what_a_server_lacks_is_lent_or_told(tmp_path: Path, proved: Proved) -> None:
    folder = tree(
        tmp_path / 'it\'s a "shop" ü',
        {
            "migrations/1_a.up.sql": "CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE a (id int);",
            "migrations/1_a.down.sql": "DROP TABLE a; DROP EXTENSION citext;",
            "migrations/2_b.up.sql": "CREATE ROLE auditor; GRANT SELECT ON a TO auditor, reader;",
            "migrations/2_b.down.sql": "REVOKE SELECT ON a FROM auditor; DROP ROLE auditor;",
            "migrations/3_c.up.sql": "CREATE EXTENSION dblink; CREATE TABLE c (id int);",
            "migrations/3_c.down.sql": "DROP TABLE c; DROP EXTENSION dblink;",
            "migrations/4_d.up.sql": "CREATE EXTENSION no_such_extension; CREATE TABLE d (id int);",
            "migrations/5_e.up.sql": "ALTER TABLE d ADD e int;",
            "migrations/5_e.down.sql": "ALTER TABLE d DROP e;",
            "migrations/6_f.up.sql": "ALTER TABLE d ADD f no_such_type;",
        },
    )
    code, document = proved(folder)
    found = verdicts(document)
    assert (code, document["project"], document["servers"]["postgres"]["embedded"]) == (1, folder.name, True)
    assert found["1", "down"] == "holds" and found["3", "down"] == "holds" and found["5", "down"] == "holds"
    assert [key for key, verdict in found.items() if verdict == "refuted"] == [("2", "down")]
    (missing,) = [
        v for v in document["verdicts"] if v["subject"] == "migration:4" and v["check"] == "migrate.up"
    ]
    assert missing["evidence"]["cause"] == "extension" and missing["reason"] == "missing_object"
    assert "no_such_extension" in missing["message"]
    # It may be the extension's type: nothing is refuted behind what could not be run.
    assert found["6", "up"] == "unproved"
    assert ["auditor, reader" in n["needs"] for n in document["not_examined"]] == [True, False]
    assert "dblink" in document["not_examined"][1]["what"]


def test_nothing_is_started_where_there_is_nothing(tmp_path: Path, proved: Proved) -> None:
    code, document = proved(tree(tmp_path / "none", {"README.md": ""}))
    assert code == 0 and document["servers"] == {"postgres": None, "mongo": None}
    assert [(v["verdict"], v["reason"]) for v in document["verdicts"]] == [("unproved", "missing_object")]
    code, document = proved(
        tree(tmp_path / "dj", {"app/migrations/0001_x.py": "class Migration(migrations.Migration): ..."})
    )
    assert code == 0 and "Django" in document["verdicts"][0]["message"]
    assert document["verdicts"][0]["location"]["file"] == "app/migrations/0001_x.py"
    assert proved(tmp_path / "dj", "--strict")[0] == 1


def test_bad_files_do_not_hide_the_good_ones(tmp_path: Path, proved: Proved, postgres_url: str) -> None:
    folder = tree(
        tmp_path / "bad",
        {
            "migrations/1_a.up.sql": A, "migrations/1_a.down.sql": DA, "migrations/2_b.up.sql": "",
            "migrations/2_b.down.sql": "", "migrations/3_c.up.sql": "SELECT " + "x" * 3_000_000,
            "migrations/4_d.up.sql": A.encode("utf-16"), "migrations/5_e.down.sql": DA,
        },
    )  # fmt: skip
    code, document = proved(folder, "--postgres", postgres_url)
    found = verdicts(document)
    assert code == 2 and found["1", "down"] == "holds" and found["2", "down"] == "holds"
    assert found["3", "up"] == "refuted" and found["4", "up"] == "unproved"
    assert [e["location"]["file"] for e in document["errors"]] == [
        "migrations/4_d.up.sql",
        "migrations/5_e.down.sql",
    ]
    assert max(len(v["message"]) for v in document["verdicts"]) < 2_000


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_since_a_revision_only_what_changed_is_proven(
    tmp_path: Path, proved: Proved, postgres_url: str
) -> None:
    top = tree(tmp_path / "repo", {"db/1_a.up.sql": A, "db/1_a.down.sql": WRONG, "db/2_b.up.sql": B, "db/2_b.down.sql": WRONG, "db/9_z.up.sql": WRONG})  # fmt: skip
    git(top, "init")
    git(top, "add", ".")
    git(top, "commit", "-m", "first")
    folder = top / "db"
    code, document = proved(folder, "--since", "HEAD", "--postgres", postgres_url)
    assert (code, document["verdicts"], document["findings"]) == (0, [], [])
    tree(folder, {"2_b.down.sql": RIGHT, "3_c.up.sql": "CREATE TABLE c ();", "3_c.down.sql": WRONG})
    code, document = proved(folder, "--since", "HEAD", "--postgres", postgres_url)
    found = verdicts(document)
    assert code == 1 and {number for number, _ in found} == {"2", "3"}
    assert found["2", "down"] == "holds" and found["3", "down"] == "refuted" and document["findings"] == []
    tree(folder, {"1_a.up.sql": A + "-- edited\n"})
    (folder / "9_z.up.sql").unlink()
    _, document = proved(folder, "--since", "HEAD", "--postgres", postgres_url)
    rules = [(f["rule"], f["severity"], f["location"]["file"]) for f in document["findings"]]
    assert rules == [
        ("migration.edited", "warning", "1_a.up.sql"),
        ("migration.removed", "warning", "9_z.up.sql"),
    ]
    assert ("1", "down") in verdicts(document)


@pytest.mark.parametrize(
    ("revision", "said"), [("nowhere", "no such revision"), ("--output=x", "no such revision")]
)
def test_a_revision_that_is_none_is_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], revision: str, said: str
) -> None:
    folder = tree(tmp_path / "repo", {"1_a.up.sql": A})
    assert run(["migrate", "prove", str(folder), f"--since={revision}"]) == 2
    assert "no git repository" in capsys.readouterr().err
    git(folder, "init")
    assert run(["migrate", "prove", str(folder), f"--since={revision}"]) == 2
    assert said in capsys.readouterr().err and not (folder / "x").exists()


def test_wrong_command_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "prove", str(tmp_path / "none")]) == 2
    assert run(["migrate", "prove", str(tmp_path), "--target", "x"]) == 2
    assert "no dbtrust.toml" in capsys.readouterr().err
    assert run(["migrate"]) == 2 and "sub-command" in capsys.readouterr().err
    folder = tree(tmp_path / "lost", {"1_a.up.sql": A})
    assert run(["migrate", "prove", str(folder), "--postgres", "postgresql://nobody@127.0.0.1:1/x"]) == 3
    assert "no_server" in capsys.readouterr().out


def test_a_project_of_both_engines_is_proven_as_its_file_says(
    tmp_path: Path, proved: Proved, postgres_url: str, mongo_url: str
) -> None:
    toml = '[project]\nname = "both"\n[postgres]\n[mongo]\n[migrations]\nfolder = "m"\n'
    python = "from dbtrust.migrations import create_collection\nsteps = [create_collection('c')]\n"
    folder = tree(tmp_path / "both", {"dbtrust.toml": toml, "m/1_a.sql": A, "m/1_a.down.sql": DA, "m/2_b.py": python, "other/1_x.up.sql": "x"})  # fmt: skip
    code, document = proved(folder, "--postgres", postgres_url, "--mongo", mongo_url)
    found = verdicts(document)
    assert (code, document["project"]) == (0, "both")
    assert found["1", "down"] == found["2", "down"] == "holds" and {n for n, _ in found} == {"1", "2"}
    assert verdicts(proved(folder, "--postgres", postgres_url, "--only", "postgres")[1]).keys() == {
        k for k in found if k[0] == "1"
    }
