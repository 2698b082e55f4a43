"""setting.durability: settings that lose data."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


def test_finds_fsync_switched_off(ill: Seen) -> None:
    found = ill.one("setting.durability", "setting:fsync")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.durability") == []


def test_finds_an_error_on_a_server_that_dbtrust_did_not_start(ill: Seen) -> None:
    assert ill.one("setting.durability", "setting:fsync").severity == "info"
    rows = tuple(r for r in ill.snapshot.sections["settings"] if r["name"] != "cluster_name")
    other = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "settings": rows}))
    assert other.one("setting.durability", "setting:fsync").severity == "error"
