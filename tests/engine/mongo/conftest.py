"""The replica set of three that monitoring is tested on."""

from __future__ import annotations

from tests.monitor.rules.mongo.conftest import three

__all__ = ["three"]
