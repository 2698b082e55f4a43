"""constraint.pipe_in_class: `[A-Z|a-z]` in a CHECK also accepts the bar, which was meant as "or"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dbtrust.judge.rules.expressions import Pattern, patterns_of
from dbtrust.judge.rules.indexes import named
from dbtrust.judge.rules.regex import Members, classes, classes_of_similar
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.report import Finding


@dataclass(frozen=True, slots=True)
class _Check:
    schema: str
    owner: str
    name: str
    definition: str


def pipe_in_class(catalog: Catalog) -> list[Finding]:
    """CHECK constraints of tables and domains whose pattern has a bar beside others inside brackets.

    A class of nothing but the bar, `[|]` or `[^|]`, an escaped bar and a bar that ends a range are meant as
    they stand. A partition's or child's inherited constraint is told of the parent only.
    """
    return [
        _finding(check, pattern, bad)
        for check in _checks(catalog)
        for pattern, bad in [_first_bad(check.definition)]
        if bad
    ]


def _checks(catalog: Catalog) -> Iterator[_Check]:
    for item in catalog.objects:
        told = item.definition
        if (
            item.kind == "constraint"
            and told.get("structure", {}).get("type") == "check"
            and "inherited" not in told
        ):
            yield _Check(told["schema"], told["table"], told["name"], told["definition"])
        elif item.kind == "type":
            yield from _domain_checks(item)


def _domain_checks(item: CatalogObject) -> Iterator[_Check]:
    told = item.definition
    for check in told.get("constraints", ()):
        yield _Check(told["schema"], told["name"], check["name"], check["definition"])


def _first_bad(definition: str) -> tuple[str, str]:
    for pattern in patterns_of(definition):
        for members in _classes(pattern):
            if "|" in members.plain and len(members.parts) > 1:
                return pattern.text, members.text
    return "", ""


def _classes(pattern: Pattern) -> Iterator[Members]:
    if pattern.similar:
        return classes_of_similar(pattern.text, pattern.escape)
    return classes(pattern.text, pattern.flags)


def _finding(check: _Check, pattern: str, bad: str) -> Finding:
    return Finding(
        rule="constraint.pipe_in_class",
        severity="error",
        engine="postgres",
        subject=f"constraint:{named(check.schema, check.owner, check.name)}",
        message=f'the pattern of {check.name} accepts the character |: in {bad} it is no "or"',
        fix=f"write {bad.replace('|', '')} instead of {bad}",
        evidence={"pattern": pattern, "class": bad, "definition": check.definition},
    )
