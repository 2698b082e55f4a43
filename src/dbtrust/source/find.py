"""Finds where the project's files speak of an object, so that a finding about a server has a place to mend."""

from __future__ import annotations

import re
from dataclasses import replace

from dbtrust.model.location import NOWHERE, Location, locate
from dbtrust.model.report import Finding
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


class Places:
    """Where the project's files first speak of a word: all texts are read once, for many questions."""

    def __init__(self, project: Project) -> None:
        self._texts = _texts(project)
        self._first: dict[str, tuple[int, int]] | None = None

    def of(self, *names: str) -> Location:
        """The place of the first of `names` that is spoken of; NOWHERE if none is."""
        for name in names:
            if place := self._place(name):
                return place
        return NOWHERE

    def _place(self, name: str) -> Location | None:
        if not _WORD.fullmatch(name):
            return find_name(name, self._texts) or find_name(name.replace('"', '""'), self._texts)
        if self._first is None:
            self._first = self._words()
        found = self._first.get(name)
        return None if found is None else locate(self._texts[found[0]][1], found[1], self._texts[found[0]][0])

    def _words(self) -> dict[str, tuple[int, int]]:
        first: dict[str, tuple[int, int]] = {}
        for number, (_, text) in enumerate(self._texts):
            for match in _WORD.finditer(_without_comments(text)):
                first.setdefault(match.group(), (number, match.start()))
        return first


_WORD = re.compile(r"[\w$]+")


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
