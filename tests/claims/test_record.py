"""`claims record`: what a project's own command sends becomes claims that hold, and break with the index."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dbtrust import Report, check
from dbtrust.cli.main import run
from dbtrust.engine.waiting import await_true
from dbtrust.report.recorded import record_schema

PROJECTS = Path(__file__).parents[1] / "projects"
JUDGED = ("query.", "claim.", "contract.")
Recorded = tuple[Path, dict[str, Any]]


def record(folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    """The document of one run over a folder."""
    file = folder.parent / f"{folder.name}.json"
    assert run(["claims", "record", str(folder), "--format", "json", "--output", str(file), *options]) == code
    document = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(document, record_schema(), cls=jsonschema.Draft202012Validator)
    return document


def recorded(name: str, factory: pytest.TempPathFactory) -> Recorded:
    folder = factory.mktemp(name) / "project"
    shutil.copytree(PROJECTS / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder, record(folder, "--write")


@pytest.fixture(scope="module")
def alchemy(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded("record_sqlalchemy", tmp_path_factory)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded("record_psycopg", tmp_path_factory)


@pytest.fixture(scope="module")
def sensors(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded("record_pymongo", tmp_path_factory)


@pytest.fixture
def judged(tmp_path: Path, postgres_url: str, mongo_url: str) -> Callable[..., Report]:
    """judged(folder, (file, old, new), …): the report of a changed copy of a recorded project."""

    def call(source: Path, *edits: tuple[str, str, str]) -> Report:
        folder = tmp_path / "copy"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in edits:
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return check(folder, only=JUDGED, postgres=postgres_url, mongo=mongo_url)

    return call


def refuted(report: Report) -> set[tuple[str, str]]:
    assert not report.errors, report.errors
    return {(v.subject, v.claim) for v in report.verdicts if v.verdict == "refuted"}


def all_hold(report: Report) -> bool:
    assert not report.errors, report.errors
    return bool(report.verdicts) and all(v.verdict == "holds" for v in report.verdicts)


def query(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The one query whose name begins so."""
    (found,) = [q for q in document["queries"] if q["subject"].rpartition(".")[2].rpartition("_")[0] == name]
    return found


def test_sqlalchemy(alchemy: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = alchemy
    assert document["exit_code"] == 0 and document["servers"]["postgres"]["embedded"] is True
    found = query(document, "select_author_by_email")
    assert {"uses author_email on author", "no seq scan on author"} <= set(found["claims"])
    assert found["executions"] == 5 and found["examples"] >= 1
    assert not any("pg_catalog" in q["subject"] for q in document["queries"])
    assert {"what": "statements about the catalog"}.items() <= document["passed_over"][0].items()
    (lost,) = document["not_recorded"]
    assert "foreign key" in lost["reason"] and "generators" in lost["next"]
    assert all_hold(judged(folder))


def test_sqlalchemy_without_the_index(alchemy: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = alchemy
    index = "CREATE INDEX post_author_written ON post (author_id, written);"
    found = refuted(judged(folder, ("schema.sql", index, "")))
    latest = query(document, "select_post_by_author_id")["subject"]
    assert {(latest, "uses post_author_written on post"), (latest, "no sort")} <= found
    assert query(document, "select_author_by_email")["subject"] not in {subject for subject, _ in found}


def test_psycopg(warehouse: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = warehouse
    assert query(document, "select_item_by_id_place")["executions"] == 80  # of eight connections
    by_number = [q["executions"] for q in document["queries"] if "_item_by_id_" in q["subject"]]
    assert 8 in by_number  # prepared by the driver
    text = (folder / "recorded" / "postgres.sql").read_text(encoding="utf-8")
    assert "-- ran through a server-side cursor\n" in text and "-- ran through PREPARE\n" in text
    assert "SELECT id FROM item WHERE place = :p1 AND price > -1 ORDER BY price LIMIT 5;" in text
    reasons = {lost["what"]: lost["reason"] for lost in document["not_recorded"]}
    assert "temporary" in reasons["SELECT * FROM short"]
    assert "does not exist" in reasons["SELECT id FROM made WHERE id = 1"]
    assert any("rows were made up for stock.shelf" in note for note in document["notes"])
    assert "uses shelf_pkey on stock.shelf" in query(document, "select_shelf_by_id")["claims"]
    assert '"sql/*.sql", # by hand\n    "recorded/postgres.sql",' in (folder / "dbtrust.toml").read_text(
        encoding="utf-8"
    )
    assert all_hold(judged(folder))


def test_psycopg_without_the_index(warehouse: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = warehouse
    found = refuted(judged(folder, ("schema.sql", "CREATE INDEX item_code ON item (code);", "")))
    subject = next(
        q["subject"] for q in document["queries"] if q["executions"] == 3 and "by_code" in q["subject"]
    )
    wanted = {"uses item_code on item", "no seq scan on item", "examines at most 2 rows per result"}
    assert {(subject, claim) for claim in wanted} <= found
    assert {s for s, _ in found} == {q["subject"] for q in document["queries"] if "_by_code_" in q["subject"]}


def test_hostile_text_is_one_query(warehouse: Recorded) -> None:
    folder, document = warehouse
    text = (folder / "recorded" / "postgres.sql").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line.startswith("-- name:")]
    assert len(names) == len(document["queries"]) == len(set(names))
    assert not any(word in text for word in ("evil", "\n-- name: wor"))
    assert r"code = E'x\n-- name: worst\n-- claim: no sort\n'" in text
    assert r"p1 = E'quote '' back\\slash \n-- name: x'::text" in text


def test_pymongo(sensors: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = sensors
    found = query(document, "find_readings_by_sensor")
    assert {"uses sensor_at", "no collection scan", "no sort"} <= set(found["claims"])
    assert found["executions"] == 3 and found["examples"] == 2
    assert "id lookup" in query(document, "find_readings_by__id")["claims"]
    scan = query(document, "aggregate_readings_by_value")["claims"]
    assert scan == ["examines at most 6000 documents per result"]
    assert all_hold(judged(folder))


def test_pymongo_without_the_index(sensors: Recorded, judged: Callable[..., Report]) -> None:
    folder, document = sensors
    index = 'IndexModel([("tags", ASCENDING)], name="tags"),'
    found = refuted(judged(folder, ("src/store/models.py", index, "")))
    subject = query(document, "distinct_readings_by_tags")["subject"]
    assert {(subject, "uses tags"), (subject, "no collection scan")} <= found
    assert {s for s, _ in found} == {subject}


def test_recording_again_changes_nothing_but_what_is_new(warehouse: Recorded, tmp_path: Path) -> None:
    """Another run finds the same names; a query changed by hand, and one that is gone, stay."""
    folder = tmp_path / "again"
    shutil.copytree(warehouse[0], folder)
    file = folder / "recorded" / "postgres.sql"
    text = file.read_text(encoding="utf-8")
    gone = "\n-- name: select_long_ago_0000\nSELECT 1;\n"
    changed = text.replace("-- claim: no sort\n", "", 1) + gone
    file.write_text(changed, encoding="utf-8")
    document = record(folder)
    states = {q["subject"].rpartition(".")[2].rpartition("_")[0]: q["state"] for q in document["queries"]}
    assert document["files"] == []
    assert states["select_item_by_place_price"] == "edited by hand, kept"
    assert set(states.values()) == {"kept", "edited by hand, kept"}
    assert any("select_long_ago_0000 was not run this time" in note for note in document["notes"])
    assert file.read_text(encoding="utf-8") == changed


SMALL = """
[project]
name = "small"
[postgres]
schema = ["s.sql"]
"""
READ = """
import os, psycopg
with psycopg.connect(os.environ["DBTRUST_POSTGRES"], autocommit=True) as c:
    c.execute("SELECT v FROM t WHERE id = 7").fetchall()
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project of one table without a generator, and a program that reads it."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "dbtrust.toml").write_text(SMALL, encoding="utf-8")
    (folder / "s.sql").write_text("CREATE TABLE t (id int PRIMARY KEY, v text);\n", encoding="utf-8")
    (folder / "read.py").write_text(READ, encoding="utf-8")
    return folder


def test_a_script_that_fails_is_recorded_and_is_exit_1(
    small: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without --write the diff alone is on stdout and nothing is written; the command's own words are on stderr."""
    script = small / "run.sh"
    script.write_text(f'echo "from the script"; "{sys.executable}" read.py; exit 3\n', encoding="utf-8")
    assert run(["claims", "record", str(small), "--", "sh", "run.sh"]) == 1
    out, err = capfd.readouterr()
    assert out.startswith("--- /dev/null\n+++ b/recorded/postgres.sql\n") and "from the script" not in out
    assert '+queries = ["recorded/postgres.sql"]' in out and "+SELECT v FROM t WHERE id = 7;" in out
    assert "+-- without claims, since t has no rows here" in out and "+-- claim" not in out
    assert "from the script" in err and "ended with exit code 3" in err
    assert "tables of few rows: t has 0 here" in err and "--write" in err
    assert not (small / "recorded").exists()


OLD = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE member (id serial PRIMARY KEY, email varchar(12) NOT NULL UNIQUE, mood mood NOT NULL, since timestamptz);
CREATE TABLE visit (id bigint GENERATED ALWAYS AS IDENTITY, member_id int NOT NULL REFERENCES member, paid numeric(6, 2));
CREATE INDEX visit_member ON visit (member_id);
CREATE TABLE odd (at point NOT NULL, id int);
"""
VISITS = """
import os, psycopg
with psycopg.connect(os.environ["DBTRUST_POSTGRES"]) as c:
    c.execute("INSERT INTO member (email, mood) VALUES (%s, 'ok')", ("a@b.c",))
    c.execute("SELECT paid FROM visit WHERE member_id = %s", (3,)).fetchall()
    c.execute("SELECT id FROM odd WHERE id = 1").fetchall()
    assert c.execute("SELECT count(*) FROM member").fetchone()[0] CHECK
    c.rollback()
"""


@pytest.fixture
def old(small: Path) -> Path:
    """A project that has a schema, tests, and no generator."""
    text = SMALL.replace('name = "small"', 'name = "old"\ntests = ["python", "visits.py"]')
    (small / "dbtrust.toml").write_text(text, encoding="utf-8")
    (small / "s.sql").write_text(OLD, encoding="utf-8")
    (small / "visits.py").write_text(VISITS.replace("CHECK", ">= 1"), encoding="utf-8")
    return small


def test_an_old_project_without_rows_gets_some(old: Path, postgres_url: str) -> None:
    document = record(old, "--write")
    assert "uses visit_member on visit" in query(document, "select_visit_by_member_id")["claims"]
    assert any("rows were made up for member, visit" in note for note in document["notes"])
    assert any("odd: at is point, for which no value is made up" in note for note in document["notes"])
    text = (old / "dbtrust.toml").read_text(encoding="utf-8")
    assert '[data.visit]\nfile = "recorded/rows/visit.sql"\nrows = 10000\n' in text
    assert all(v.verdict == "holds" for v in check(old, only=JUDGED, postgres=postgres_url).verdicts)
    (old / "s.sql").write_text(
        OLD.replace("CREATE INDEX visit_member ON visit (member_id);", ""), encoding="utf-8"
    )
    found = refuted(check(old, only=JUDGED, postgres=postgres_url))
    assert (query(document, "select_visit_by_member_id")["subject"], "uses visit_member on visit") in found


def test_rows_that_the_tests_do_not_stand_are_left_out(old: Path) -> None:
    (old / "visits.py").write_text(VISITS.replace("CHECK", "== 1"), encoding="utf-8")
    document = record(old)
    assert [file["file"] for file in document["files"]] == ["recorded/postgres.sql", "dbtrust.toml"]
    assert any("the command fails over them: they are left out" in note for note in document["notes"])
    assert query(document, "select_visit_by_member_id")["claims"] == []


def test_pyproject(small: Path, postgres_url: str) -> None:
    (small / "dbtrust.toml").unlink()
    text = "[build-system]\nrequires = []\n\n[tool.dbtrust]\nproject.name = 'small'\n[tool.dbtrust.postgres]\nschema = ['s.sql']\n"
    (small / "pyproject.toml").write_text(text, encoding="utf-8")
    record(small, "--write", "--no-rows", "--", "python", "read.py")
    assert (small / "pyproject.toml").read_text(
        encoding="utf-8"
    ) == text + 'queries = ["recorded/postgres.sql"]\n'
    assert all_hold(check(small, only=["query."], postgres=postgres_url))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "there is no command to record"),
        (("--",), "no command behind --"),
        (
            ("--postgres", "postgresql://x/y", "--", "true"),
            "--postgres: a command is recorded on embedded servers",
        ),
        (("--only", "mongo", "--", "true"), "the project names no database to record"),
        (("--", "no-such-program"), "'no-such-program' does not start"),
    ],
)
def test_what_cannot_be_recorded_is_exit_2(
    small: Path, options: tuple[str, ...], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["claims", "record", str(small), *options]) == 2
    assert said in capfd.readouterr().err
    assert not (small / "recorded").exists()


def test_a_folder_without_a_configuration(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["claims", "record", str(tmp_path), "--", "true"]) == 2
    err = capfd.readouterr().err
    assert "no dbtrust.toml" in err and "[postgres]" in err


def test_sigterm_ends_the_command_and_the_servers(small: Path) -> None:
    mark = small / "started"
    script = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()) + ' ' + os.environ['DBTRUST_POSTGRES']); time.sleep(600)"
    command = [
        sys.executable,
        "-m",
        "dbtrust",
        "claims",
        "record",
        str(small),
        "--write",
        "--",
        "python",
        "-c",
        script,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert await_true(lambda: mark.exists() and " " in mark.read_text(encoding="utf-8"), 60)
        child, url = mark.read_text(encoding="utf-8").split(" ")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert out == b"" and not (small / "recorded").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(child), 0)
    from urllib.parse import parse_qs, urlsplit

    assert not Path(parse_qs(urlsplit(url).query)["host"][0]).exists()
