"""setting.shared_buffers: shared_buffers is the default."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_the_default(ill: Seen) -> None:
    found = ill.one("setting.shared_buffers", "setting:shared_buffers")
    assert found.evidence["setting"] == "128.0 MB" and "shared_buffers is 128.0 MB" in found.message


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.shared_buffers") == []
