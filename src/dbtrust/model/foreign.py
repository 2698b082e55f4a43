"""What the ledger of another migration tool says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dbtrust.model.engine import Engine


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """One applied migration: its version as the tool writes it, and its name or file, "" where it keeps none."""

    version: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ForeignLedger:
    """`kind` "list": every applied migration has a row; "head": one row names the last, and all before it are applied.

    `base` is the version up to which everything counts as applied without rows of its own, "" for none.
    `dirty` is what the tool itself says stopped it in the middle, "" where it is clean.
    """

    tool: str
    engine: Engine
    where: str
    kind: Literal["list", "head"]
    rows: tuple[ForeignRow, ...]
    dirty: str = ""
    base: str = ""
