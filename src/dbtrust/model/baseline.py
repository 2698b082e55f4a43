"""A baseline: the decisions that the planner took for a query when somebody looked at them and kept them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbtrust.model.engine import Engine
from dbtrust.model.location import NOWHERE, Location


@dataclass(frozen=True, slots=True)
class Decision:
    """One plan without what jitters: the lines of its tree, and the planner's total cost, which is not judged.

    `cost` is None where the engine has none (MongoDB).
    """

    tree: tuple[str, ...]
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a query and every plan that was seen for it, near a tie more than one.

    `given` is the text of its values (empty for a query without parameters), `choices` the words in place.
    """

    label: str
    given: str
    choices: Mapping[str, str] = field(default_factory=dict[str, str])
    plans: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """One file of the folder baselines. `server` is the major version, `data` the rows and settings then."""

    subject: str
    engine: Engine
    server: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    examples: tuple[Example, ...] = ()
    location: Location = NOWHERE
