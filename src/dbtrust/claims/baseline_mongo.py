"""What the query methods of MongoDB do now, and more runs of it for a baseline."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

from dbtrust.claims.baseline import Observed, add, seen
from dbtrust.claims.mongo import ParsedMethod, plans_of
from dbtrust.judge.claims import Names
from dbtrust.model.progress import Progress
from dbtrust.stage.mongo import MongoStage

#: A plan is chosen by a race; the commands race so often more before they become a baseline.
RACES = 4
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def observed_mongo(stage: MongoStage, parsed: Sequence[ParsedMethod], names: Names) -> list[Observed]:
    """Every method that ran, with the plans of the commands of its examples."""
    return [_observed(stage, item, names) for item in parsed]


def _observed(stage: MongoStage, item: ParsedMethod, names: Names) -> Observed:
    method = item.method
    major = ".".join(stage.version.split(".")[:2])
    found = Observed("mongo", method.subject, method.location, major, stage.evidence)
    examples = method.examples or (None,) * len(item.cases)
    for example, case in zip(examples, item.cases, strict=False):
        if case.drawn:
            continue
        label, given = (example.label, _given(example.values)) if example else ("", "")
        found.examples.append(seen(case, label, given, {}, names, data=not stage.errors))
    return found


def _given(values: Mapping[str, Any]) -> str:
    """The values of an example as Python writes them; a moment only by its type, as it may be counted from now."""
    return ", ".join(f"{name} = {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, (date, time, timedelta)):
        return type(value).__name__
    return _ADDRESS.sub("", repr(value))


def sampled_mongo(
    stage: MongoStage, parsed: Sequence[ParsedMethod], names: Names, progress: Progress
) -> list[Observed]:
    """The same, with the commands explained again."""
    observed = observed_mongo(stage, parsed, names)
    for found, item in zip(observed, parsed, strict=True):
        if found.problem is not None:
            continue
        progress(f"explaining {found.subject}")
        for now, ran in zip(found.examples, item.ran, strict=True):
            for _ in range(RACES):
                add(now, plans_of(stage, ran.commands), names)
    return observed
