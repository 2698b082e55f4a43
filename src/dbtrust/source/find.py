"""Finds where the project's files speak of an object, so that a finding about a server has a place to mend."""

from __future__ import annotations

import re
from dataclasses import replace

from dbtrust.model.location import NOWHERE, Location, locate
from dbtrust.model.report import Finding, Verdict
from dbtrust.source.project import Project


def located(finding: Finding, project: Project) -> Finding:
    """The finding at the first line of the history or the declared schema that names its subject."""
    if finding.location != NOWHERE:
        return finding
    name = finding.subject.partition(":")[2].rsplit(".", 1)[-1]
    place = find_name(name, _texts(project))
    # A constraint or index that PostgreSQL named itself stands nowhere: its table does.
    table = str(finding.evidence.get("table", "")).rsplit(".", 1)[-1]
    return replace(
        finding, location=place or (find_name(table, _texts(project)) if table else None) or NOWHERE
    )


def placed(verdict: Verdict, project: Project) -> Verdict:
    """The verdict at the first line that names its subject; for a rule of a column, where its table speaks of that."""
    if verdict.location != NOWHERE:
        return verdict
    texts = _texts(project)
    label = verdict.subject.partition(":")[2]
    field = str(verdict.evidence.get("field", "")).rpartition(".")[2]
    column = str(verdict.evidence.get("column", "")) or (field if field.isidentifier() else "")
    table = str(verdict.evidence.get("table", "")) or (label if column else "")
    name = label.rpartition(f"{table}.")[2] if table else label.rsplit(".", 1)[-1]
    place = None if column else find_name(name, texts)
    return replace(verdict, location=place or _within(table, column, texts) or NOWHERE)


def _within(table: str, column: str, texts: list[tuple[str, str]]) -> Location | None:
    """The column after the table's name, else the table."""
    for file, text in texts:
        start = (
            re.search(rf"(?<![\w$]){re.escape(table)}(?![\w$])", _without_comments(text)) if table else None
        )
        if start is None:
            continue
        later = re.compile(rf"(?<![\w$]){re.escape(column)}(?![\w$])") if column else None
        match = later.search(_without_comments(text), start.end()) if later else None
        return locate(text, match.start() if match else start.start(), file)
    return None


def find_name(name: str, texts: list[tuple[str, str]]) -> Location | None:
    """The first (file, text) that holds the whole word."""
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    for file, text in texts:
        if match := word.search(_without_comments(text)):
            return locate(text, match.start(), file)
    return None


def _without_comments(text: str) -> str:
    """The same length, with `--` comments blank."""
    return re.sub(r"--[^\n]*", lambda match: " " * len(match.group()), text)


def _texts(project: Project) -> list[tuple[str, str]]:
    history = [(m.location.file or "", m.text) for m in project.history.migrations] if project.history else []
    return [*history, *((s.file, s.text) for s in project.schema)]
