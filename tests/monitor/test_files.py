"""Snapshot files: what is written is read, and what is none is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbtrust.model.errors import ConfigError
from dbtrust.model.report import NotExamined
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.files import dump, load, parts
from dbtrust.monitor.flow import Options, diagnose

_ONE = Snapshot(
    "postgres", "2026-01-01T00:00:00+00:00", {"version": "17.10", "identity": "1/db"},
    {"tables": ({"name": "täble \ud800", "rows": 2**70, "last": None},), "locks": ()},
    (NotExamined("statements", "an extension"),),
)  # fmt: skip


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(dump([_ONE]), encoding="utf-8")
    (again,) = load(file)
    assert (again.engine, again.taken_at, again.server) == (_ONE.engine, _ONE.taken_at, _ONE.server)
    assert again.sections["tables"][0]["last"] is None and again.sections["locks"] == ()
    assert again.not_examined == _ONE.not_examined
    assert dump([again]) == dump([_ONE])


def test_passwords_are_not_written() -> None:
    text = dump([Snapshot("postgres", "t", {"url": "postgresql://u:geheim@h/d", "password": "geheim"})])
    assert "geheim" not in text


@pytest.mark.parametrize(
    ("change", "message", "next"),
    [
        (lambda t: t[: len(t) // 2], "cut short", "copy the whole file"),
        (lambda t: "", "no JSON", "monitor snapshot"),
        (lambda t: t.replace('"schema":1', '"schema":2'), "format 2", "that version"),
        (lambda t: t.replace('"snapshots"', '"others"'), "no snapshot of dbtrust", "monitor snapshot"),
        (lambda t: "[1, 2]", "no snapshot of dbtrust", "monitor snapshot"),
        (lambda t: t.replace('"postgres"', '"oracle"'), "no snapshot of dbtrust", "monitor snapshot"),
        (lambda t: t.replace('"sections"', '"parts"'), "no snapshot of dbtrust", "monitor snapshot"),
        (
            lambda t: json.dumps({"schema": 1, "snapshots": [[]]}),
            "no snapshot of dbtrust",
            "monitor snapshot",
        ),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, change: object, message: str, next: str) -> None:
    file = tmp_path / "s.json"
    assert callable(change)
    file.write_text(change(dump([_ONE])), encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as error:
        load(file)
    assert error.value.location.file == file.as_posix() and next in error.value.next


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.json")


def test_rows_that_no_server_gave_are_the_files_fault(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(dump([_ONE]), encoding="utf-8")
    with pytest.raises(ConfigError, match="not as dbtrust writes it"):
        diagnose(Options(saved=file))


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "s.json"
    file.write_text(dump([_ONE]), encoding="utf-8")
    monkeypatch.setattr("dbtrust.monitor.files.MOST_BYTES", 100)
    with pytest.raises(ConfigError, match="which no snapshot has"):
        load(file)


def test_parts_are_the_document_and_never_end_inside_a_row() -> None:
    rows = tuple({"name": f"t{n}"} for n in range(450))
    one = Snapshot("postgres", "2026-01-01T00:00:00+00:00", {}, {"tables": rows, "locks": (), "io": rows[:1]})
    pieces = list(parts([one, _ONE]))
    document = json.loads("".join(pieces))
    assert [len(document["snapshots"][0]["sections"][n]) for n in ("tables", "locks", "io")] == [450, 0, 1]
    assert document["snapshots"][1]["server"] == _ONE.server
    assert all(piece.count('{"name"') == piece.count("}") for piece in pieces if "t200" in piece)
