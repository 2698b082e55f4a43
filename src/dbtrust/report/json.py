"""The JSON output: one document, described by schema.json beside this file."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson

from dbtrust.model.report import Report
from dbtrust.report.document import document


def render_json(report: Report) -> str:
    """One JSON document, indented, with a line break at its end. The same report gives the same bytes."""
    return orjson.dumps(document(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every output of `render_json` fits."""
    return orjson.loads(files("dbtrust.report").joinpath("schema.json").read_bytes())
