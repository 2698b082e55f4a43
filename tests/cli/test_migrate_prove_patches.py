"""What `migrate prove` prints as a patch is applied with git and with patch, and proven again: in every layout."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.patching import TOOLS

from dbtrust.cli.main import run

TABLE, GONE = "CREATE TABLE {0} (id int PRIMARY KEY, n text);", "DROP TABLE {0};"
MORE = "ALTER TABLE {0} ADD COLUMN more text;\nCREATE INDEX {0}_n ON {0} (n);"
FUNCTION = (
    "CREATE OR REPLACE FUNCTION f_{0}() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n  RETURN {1};\nEND $$;"
)


def _one_file(up: str, down: str, begin: str = "", end: str = "") -> dict[str, str | bytes]:
    """Both halves in one file: (1) right, (2) a down that leaves an index, (3) no mark, (4) a mark with nothing, (5) a function."""
    function, old = (f"{begin}\n{FUNCTION.format('{0}', n)}\n{end}\n".lstrip("\n") for n in (2, 1))
    return {
        "1_a.sql": f"{up}\n{TABLE}\n{old}\n{down}\nDROP FUNCTION f_{{0}}();\n{GONE}\n",
        "2_b.sql": f"{up}\n\n{MORE}\n\n{down}\n-- the author's words\nALTER TABLE {{0}} DROP COLUMN more;\n\n",
        "3_c.sql": f"{up}\nCREATE TABLE {{0}}_c (id int);",
        "4_d.sql": f"{up}\r\nCREATE TABLE {{0}}_d (id int);\r\n{down}\r\n",
        "5_e.sql": f"{up}\n{function}\n{down}\nSELECT 1 -- no semicolon\n",
        "6_f.sql": f"\ufeff{up}\r\nCREATE TABLE {{0}}_f (id int); CREATE TABLE {{0}}_g (id int);\r\n{down}\r\nBEGIN;\r\nDROP TABLE {{0}}_f;\r\nCOMMIT;",
    }  # fmt: skip


def _pairs(up: str, down: str, *, full: bool = False) -> dict[str, str | bytes]:
    """A file for each half; `up` and `down` have %s for the name."""
    few: dict[str, str | bytes] = {
        up % "1_a": TABLE + "\n", down % "1_a": GONE + "\n",
        up % "3_c": "CREATE TABLE {0}_c (id int);",
    }  # fmt: skip
    return few if not full else {
        **few,
        up % "2_b": MORE + "\n", down % "2_b": "ALTER TABLE {0} DROP COLUMN more",
        up % "4_d": "\ufeffCREATE TABLE {0}_d (id int);\r\n", down % "4_d": "\ufeff-- nothing\r\nSELECT 1;\r\n",
        up % "5_e": "CREATE TABLE {0}_e (id int);\n", down % "5_e": "",
        up % "6_f": "CREATE TABLE {0}_f (id int);\n", down % "6_f": "-- lossy: table {0}_f\nDROP TABLE {0}_no;\n",
    }  # fmt: skip


#: folder -> files; {0} is a name for the tables of each.
LAYOUTS: dict[str, dict[str, str | bytes]] = {
    "dbmate/db": _one_file("-- migrate:up", "-- migrate:down"),
    "goose/my migrations": _one_file("-- +goose Up", "-- +goose Down", "-- +goose StatementBegin", "-- +goose StatementEnd"),
    "sqlmigrate/änderungen": _one_file("-- +migrate Up", "-- +migrate Down", "-- +migrate StatementBegin", "-- +migrate StatementEnd"),
    "golang/m": _pairs("%s.up.sql", "%s.down.sql", full=True),
    "diesel/migrations": _pairs("%s/up.sql", "%s/down.sql"),
    "prisma/migrations": _pairs("%s/migration.sql", "%s/down.sql"),
    "plain/migrations": _pairs("00%s größe.sql", "00%s größe_rollback.sql"),
    "folders/m": _pairs("%s.sql", "rollback/%s.sql"),
    "two": _pairs("up/%s.sql", "down/%s.sql"),
    "postgrator/m": {k.replace("_a.", ".").replace("_b.", ".").replace("_c.", ".").replace("_d.", ".").replace("_e.", ".").replace("_f.", "."): v
                     for k, v in _pairs("%s.do.sql", "%s.undo.sql").items()},
    "flyway/db/migration": {("V" if "down" not in k else "U") + k.replace(".down", "").replace("_", "__"): v
                            for k, v in _pairs("%s.sql", "%s.down.sql").items()},
    "dialects/m": _pairs("%s.postgres.up.sql", "%s.postgres.down.sql"),
    "sqlx/migrations": {"../Cargo.toml": "", **_pairs("%s.up.sql", "%s.down.sql")},
}  # fmt: skip


def write(root: Path) -> None:
    for number, (folder, files) in enumerate(LAYOUTS.items()):
        for name, text in files.items():
            path = root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert isinstance(text, str)
            path.write_bytes(text.replace("{0}", f"t{number}").encode())


def proven(root: Path, url: str) -> list[dict[str, Any]]:
    report = root.parent / "report.json"
    run(
        ["migrate", "prove", str(root), "--format", "json", "--output", str(report), "--postgres", url],
    )
    document = json.loads(report.read_text(encoding="utf-8"))
    assert document["errors"] == []
    return document["verdicts"]


def wrong(verdicts: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [
        (v["evidence"]["history"], v["subject"], v["check"], v["message"])
        for v in verdicts
        if v["verdict"] in ("refuted", "unproved")
    ]


def test_patches_of_every_layout_are_taken_and_make_its_history_right(
    tmp_path: Path, postgres_url: str
) -> None:
    root = tmp_path / "git" / "sub folder"
    root.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(root.parent)], check=True)
    write(root)
    twin = tmp_path / "twin" / "project"
    twin.mkdir(parents=True)
    write(twin)
    first = proven(root, postgres_url)
    downs = [v for v in first if v["check"] == "migrate.down"]
    assert {v["evidence"]["history"] for v in downs} == set(LAYOUTS)
    assert {v["verdict"] for v in downs if v["subject"].endswith("1")} == {"holds"}
    broken = [v for v in downs if v["verdict"] != "holds"]
    assert len(broken) == 4 * 5 + len(LAYOUTS) - 4
    for v in broken:
        patch = v["evidence"]["patch"]
        assert patch in v["next"], v
        for folder, command in ((root, TOOLS[0]), (twin, TOOLS[-1])):
            done = subprocess.run(command, cwd=folder, input=patch.encode(), capture_output=True)
            assert done.returncode == 0, (command, patch, done.stdout, done.stderr)
    files = {p.relative_to(root): p.read_bytes() for p in root.rglob("*.*") if p.is_file()}
    assert files == {p.relative_to(twin): p.read_bytes() for p in twin.rglob("*.*") if p.is_file()}
    for file, text in files.items():
        assert text.count(b"\r\n") in (0, text.count(b"\n")), (file, text)
        assert text.count(b"\xef\xbb\xbf") == text.startswith(b"\xef\xbb\xbf"), (file, text)
    assert wrong(proven(root, postgres_url)) == []
    kept = (root / "goose/my migrations/2_b.sql").read_text(encoding="utf-8")
    assert "-- the author's words\nALTER TABLE t1 DROP COLUMN more;\nDROP INDEX public.t1_n;\n\n" in kept
    whole = (root / "goose/my migrations/5_e.sql").read_text(encoding="utf-8")
    assert "SELECT 1; -- no semicolon\n-- +goose StatementBegin\nCREATE OR REPLACE" in whole
    assert b"DROP TABLE t0_f;\r\nDROP TABLE public.t0_g;\r\nCOMMIT;" in files[Path("dbmate/db/6_f.sql")]
