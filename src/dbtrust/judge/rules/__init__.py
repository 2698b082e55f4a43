"""Rules that see something in a catalog: functions from a Catalog to findings, without I/O."""

from __future__ import annotations

from dbtrust.judge.rules.foreign_keys import foreign_keys_without_index
from dbtrust.judge.rules.patterns import pipe_in_class
from dbtrust.judge.rules.redundancy import redundant_indexes

__all__ = ["foreign_keys_without_index", "pipe_in_class", "redundant_indexes"]
