"""column.type: column types with traps."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_each_type_with_a_trap(ill: Seen) -> None:
    assert ill.subjects("column.type") == {
        "column:typed.a",
        "column:typed.b",
        "column:typed.c",
        "column:typed.d",
    }
    assert "TYPE timestamptz" in ill.one("column.type", "column:typed.d").fix


def test_is_silent_about_jsonb_text_and_timestamptz(well: Seen) -> None:
    assert well.of("column.type") == []
