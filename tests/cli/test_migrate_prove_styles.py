"""Histories as people write them, each in the style of a tool: nothing is refuted, until one of their downs is broken."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dbtrust.cli.main import run

HISTORIES = Path(__file__).parents[1] / "projects" / "histories"
#: folder -> (file, what stands in its down, what is written there instead, migration)
BREAKS = {
    "goose": ("migrations/00007_account_status.sql", "DROP TYPE app.account_status;", "", "00007"),
    "golang": ("migrations/000006_split_name.down.sql", "DROP COLUMN IF EXISTS full_name", "DROP COLUMN IF EXISTS fullname", "000006"),
    "alembic": ("alembic/versions/000000000005_check.py", 'op.drop_constraint("ck_title", "item")', "pass", "000000000005"),
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The good histories, and copies of three with one broken down each, proven in one run on a server of its own."""
    root = tmp_path_factory.mktemp("styles")
    shutil.copytree(HISTORIES, root / "good")
    for folder, (file, old, new, _) in BREAKS.items():
        shutil.copytree(HISTORIES / folder, root / "broken" / folder)
        path = root / "broken" / folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")
    report = tmp_path_factory.mktemp("report") / "report.json"
    assert run(["migrate", "prove", str(root), "--format", "json", "--output", str(report)]) == 1
    document = json.loads(report.read_text(encoding="utf-8"))
    assert document["errors"] == []
    return document["verdicts"]


def test_nothing_of_a_good_history_is_refuted_or_open(verdicts: list[dict[str, Any]]) -> None:
    good = [v for v in verdicts if v["evidence"]["history"].startswith("good/")]
    assert len({v["subject"] for v in good}) == 50
    assert [
        (v["evidence"]["history"], v["subject"], v["check"], v["message"])
        for v in good
        if v["verdict"] in ("refuted", "unproved")
    ] == []
    assert {v["verdict"] for v in good if v["check"] in ("migrate.up", "migrate.drifted")} <= {
        "holds",
        "not_applicable",
    }


@pytest.mark.parametrize("folder", BREAKS)
def test_a_broken_down_is_refuted_on_its_migration_with_a_patch(
    verdicts: list[dict[str, Any]], folder: str
) -> None:
    mine = [v for v in verdicts if v["evidence"]["history"].startswith(f"broken/{folder}")]
    refuted = [v for v in mine if v["verdict"] == "refuted"]
    assert {v["subject"] for v in refuted} == {f"migration:{BREAKS[folder][3]}"}, refuted
    (down,) = [v for v in refuted if v["check"] == "migrate.down"]
    assert down["evidence"]["kind"] == "differs"
    assert down["evidence"]["patch"] and down["evidence"]["patch"] in down["next"]
    if folder == "alembic":
        assert "\n-    pass\n+    op.execute(" in down["evidence"]["patch"]
