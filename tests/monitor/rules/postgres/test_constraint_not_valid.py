"""constraint.not_valid: constraints that were never validated."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_check_that_was_never_validated(ill: Seen) -> None:
    found = ill.one("constraint.not_valid", "constraint:child.child_positive")
    assert "VALIDATE CONSTRAINT child_positive" in found.fix


def test_is_silent_about_checks_that_were_validated(well: Seen) -> None:
    assert well.of("constraint.not_valid") == []
