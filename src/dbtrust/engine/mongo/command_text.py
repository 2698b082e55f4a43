"""A command as evidence shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import json_util

_LONGEST = 4000


def command_text(command: Mapping[str, Any]) -> str:
    """Relaxed extended JSON, cut where it is very long."""
    try:
        text = json_util.dumps(command, json_options=json_util.RELAXED_JSON_OPTIONS)
    except (TypeError, ValueError, OverflowError):
        text = repr(command)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
