"""What is named like a migration and is no file, declarations with slips of the pen, and URLs of servers that nothing needs."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_migrate_prove_alembic import INI, SYNC

from dbtrust.cli.main import run

UP, DOWN = "CREATE TABLE {0} (id int PRIMARY KEY, phone text);\n", "DROP TABLE {0};\n"
REVISION = 'from alembic import op\nrevision = "a1"\ndown_revision = None\ndef upgrade():\n    """Makes it.\n\n    lossy: tabel x\n    """\n    op.execute("CREATE TABLE a9 (id int)")\n# lossy: colum a9.id\ndef downgrade():\n    op.execute("DROP TABLE a9")\n'
GOOD = {
    "golang/1_a.up.sql": UP, "golang/1_a.down.sql": DOWN,
    "goose/1_a.sql": "-- +goose Up\n" + UP + "-- +goose Down\n" + DOWN,
    "sqlmigrate/1_a.sql": "-- +migrate Up\n" + UP + "-- +migrate Down\n" + DOWN,
    "dbmate/1_a.sql": "-- migrate:up\n" + UP + "-- migrate:down\n" + DOWN,
    "flyway/V1__a.sql": UP, "flyway/U1__a.sql": DOWN,
    "diesel/1_a/up.sql": UP, "diesel/1_a/down.sql": DOWN,
    "migrations/001_a.sql": UP, "migrations/001_a_rollback.sql": DOWN,
}  # fmt: skip
#: folder -> a second migration there.
SECOND = {
    "golang": "2_b.up.sql", "goose": "2_b.sql", "sqlmigrate": "2_b.sql", "dbmate": "2_b.sql", "flyway": "V2__b.sql",
    "diesel": "2_b/up.sql", "migrations": "002_b.sql",
}  # fmt: skip
MARKS = {"goose": "-- +goose Up\n", "sqlmigrate": "-- +migrate Up\n", "dbmate": "-- migrate:up\n"}


def write(root: Path, files: dict[str, str]) -> None:
    for number, (name, text) in enumerate(files.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{0}", f"t_{name.partition('/')[0]}_{number * 0}"), encoding="utf-8")


def proven(root: Path, *more: str) -> tuple[int, dict[str, Any]]:
    report = root.parent / "report.json"
    code = run(["migrate", "prove", str(root), "--format", "json", "--output", str(report), *more])
    return code, json.loads(report.read_text(encoding="utf-8"))


def test_what_is_no_file_is_told_with_its_place_and_nothing_waits(tmp_path: Path, postgres_url: str) -> None:
    root = tmp_path / "p"
    write(root, GOOD)
    kinds = [
        "a pipe",
        "a socket",
        "a folder",
        "a link that leads nowhere",
        "a link that leads out of the folder",
        "a link to a folder",
        "a link that leads nowhere",
    ]
    (tmp_path / "outside.sql").write_text("SELECT 1;\n", encoding="utf-8")
    for (folder, second), kind in zip(SECOND.items(), kinds, strict=True):
        strange(root / folder / second, kind, tmp_path)
    strange(root / "goose" / "3_c.sql", "a link that leads nowhere", tmp_path)
    code, document = proven(root, "--postgres", postgres_url)
    said = {(e["location"]["file"], e["message"]) for e in document["errors"]}
    wanted = {
        (f"{folder}/{second}", f"{kind} is no migration")
        for (folder, second), kind in zip(SECOND.items(), kinds, strict=True)
    }
    assert code == 2 and said == wanted | {("goose/3_c.sql", "a link that leads nowhere is no migration")}
    assert {v["verdict"] for v in document["verdicts"]} <= {"holds", "not_applicable"} and len(
        document["verdicts"]
    ) == 7 * 6


def strange(path: Path, kind: str, outside: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "a pipe":
            os.mkfifo(path)
        case "a socket":
            # A socket's path may have 100 characters.
            with socket.socket(socket.AF_UNIX) as made:
                here = Path.cwd()
                os.chdir(path.parent)
                made.bind(path.name)
                os.chdir(here)
        case "a folder":
            path.mkdir()
        case "a link to a folder":
            path.symlink_to(outside)
        case "a link that leads out of the folder":
            path.symlink_to(outside / "outside.sql")
        case _:
            path.symlink_to("nowhere.sql")


def test_a_folder_of_nothing_but_a_pipe_is_told(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    os.mkfifo(root / "1_a.sql")
    os.mkfifo(root / "alembic.ini")
    code, document = proven(root)
    assert code == 0 and document["not_examined"] == [{"what": "1_a.sql", "needs": "a pipe"}]


def test_a_pipe_in_a_projects_own_folder_is_told(tmp_path: Path) -> None:
    root = tmp_path / "p"
    write(root, {"dbtrust.toml": '[project]\nname = "p"\n[migrations]\nfolder = "m"\n', "m/readme": ""})
    os.mkfifo(root / "m" / "0001_a.sql")
    os.mkfifo(root / "m" / "0002_a.py")
    code, document = proven(root)
    assert code == 2 and [e["location"]["file"] for e in document["errors"]] == [
        "m/0001_a.sql",
        "m/0002_a.py",
    ]


def test_slips_in_declared_losses_are_errors_in_every_layout(tmp_path: Path, postgres_url: str) -> None:
    root = tmp_path / "p"
    write(root, GOOD)
    for folder, second in SECOND.items():
        write(root, {f"{folder}/{second}": f"{MARKS.get(folder, '')}SELECT 1;\n-- lossy: colum t.phone\n"})
    write(root, {"alembic/alembic.ini": INI, "alembic/db/env.py": SYNC, "alembic/db/versions/a.py": REVISION})
    write(
        root,
        {
            "mongo/1_a.py": "from dbtrust.migrations import create_index\nlossy = ['column products.tags']\nsteps = []\n"
        },
    )
    code, document = proven(root, "--postgres", postgres_url, "--only", "postgres")
    errors = {(e["location"]["file"], e["location"]["line"]): e["next"] for e in document["errors"]}
    sql = {(f"{folder}/{second}", 3 if folder in MARKS else 2) for folder, second in SECOND.items()}
    assert code == 2 and set(errors) == sql | {
        ("alembic/db/versions/a.py", 7),
        ("alembic/db/versions/a.py", 10),
    }
    assert errors["alembic/db/versions/a.py", 7] == "did you mean -- lossy: table x?"
    assert all("did you mean -- lossy: column" in step for place, step in errors.items() if place[1] != 7)
    assert {v["verdict"] for v in document["verdicts"] if v["subject"] == "migration:a1"} <= {
        "holds",
        "not_applicable",
    }


@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        ({"m/1_a.up.sql": UP, "m/1_a.down.sql": DOWN}, ["--mongo", "http://x"], "is no MongoDB URL"),
        ({"m/1_a.py": "from dbtrust.migrations import create_collection\nsteps = [create_collection('a')]\n"}, ["--postgres", "http://x"], "this PostgreSQL URL cannot be read"),
        ({"m/readme": ""}, ["--mongo", "http://x"], "is no MongoDB URL"),
        ({"m/readme": ""}, ["--postgres", "http://x"], "this PostgreSQL URL cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_url_is_exit_2_also_where_nothing_needs_the_server(
    tmp_path: Path, postgres_url: str, mongo_url: str, files: dict[str, str], more: list[str], said: str
) -> None:
    root = tmp_path / "p"
    write(root, files)
    other = ["--mongo", mongo_url] if more[0] == "--postgres" else ["--postgres", postgres_url]
    code, document = proven(root, *more, *other)
    (error,) = document["errors"]
    assert code == 2 and said in error["message"]
    assert not any(v["verdict"] == "refuted" for v in document["verdicts"])
