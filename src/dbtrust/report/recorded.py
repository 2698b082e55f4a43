"""What `claims record` found, as text and as one JSON document (record.schema.json)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

import orjson

from dbtrust.report.document import plain, visible
from dbtrust.report.redact import redact


@dataclass(frozen=True, slots=True)
class Text:
    """`body` is for stdout: the diff. `notes` are lines about it, for stderr."""

    body: str
    notes: tuple[str, ...]


def render_recorded_json(document: Mapping[str, Any]) -> str:
    """One JSON document, indented, with a line break at its end."""
    return orjson.dumps(plain(document), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def record_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that the document fits."""
    return orjson.loads(files("dbtrust.report").joinpath("record.schema.json").read_bytes())


def render_recorded_text(document: Mapping[str, Any]) -> Text:
    """The diff where nothing was written, else one line for each file; and what is to be said about it."""
    changed = cast("list[dict[str, Any]]", document["files"])
    written = any(file["written"] for file in changed)
    body = "".join(
        f"wrote {visible(file['file'])}\n" if written else redact(_safe(file["diff"])) for file in changed
    )
    return Text(body, tuple(_notes(document, written)))


def _safe(diff: str) -> str:
    """A tab stays: the text is for `patch`, too."""
    return "".join("\t".join(map(visible, line.split("\t"))) + "\n" for line in diff.split("\n")[:-1])


def _notes(document: Mapping[str, Any], written: bool) -> Iterator[str]:
    code = document["exit_code"]
    if code:
        ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
        yield f"the command {ended}: what follows is what it sent until then"
    states = Counter(str(query["state"]) for query in document["queries"])
    said = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    claims = sum(len(query["claims"]) for query in document["queries"])
    yield f"{len(document['queries'])} queries recorded with {claims} claims{f' ({said})' if said else ''}"
    for one in document["passed_over"]:
        yield f"passed over, {one['engine']}: {one['executions']} {one['what']}"
    for one in document["not_recorded"]:
        step = f" ({one['next']})" if one["next"] else ""
        yield f"not recorded, {one['engine']}: {one['what']}: {one['reason']}{step}"
    yield from document["notes"]
    if not document["files"]:
        yield "nothing changes"
    elif not written:
        yield "nothing is written yet: the same command with --write writes it"
