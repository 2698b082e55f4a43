"""What IF NOT EXISTS hid: the statement is run again without the object that stood in its way, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.run import drop_object, execute_last
from dbtrust.engine.postgres.scripts import Piece
from dbtrust.judge.catalog import changed_fields, diff
from dbtrust.judge.statements import creates
from dbtrust.model.catalog import Difference
from dbtrust.model.location import Location, locate


@dataclass(frozen=True, slots=True)
class Skipped:
    """A statement that did nothing because the name was taken; `differences` is what it would have made otherwise."""

    location: Location
    differences: tuple[Difference, ...]


class SkipWatch(list[Skipped]):
    """Called for each skipped statement of a script, right after it; all it does is rolled back."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__()
        self._connection = connection

    def __call__(self, piece: Piece, source: str, file: str) -> None:
        self.append(Skipped(locate(source, piece.offset, file), self._differences(piece)))

    @property
    def hidden(self) -> list[Skipped]:
        """Those that another definition stood in the way of."""
        return [skipped for skipped in self if skipped.differences]

    def _differences(self, piece: Piece) -> tuple[Difference, ...]:
        target = creates(piece.text)
        if target is None:
            return ()
        try:
            with self._connection.transaction(force_rollback=True):
                old = snapshot(self._connection)
                drop_object(self._connection, target.kind, target.schema, target.name, target.part)
                without = snapshot(self._connection)
                execute_last(self._connection, piece.text)
                new = snapshot(self._connection)
        except psycopg.Error:
            # It cannot be made in this place at all: then what stands there is surely something else.
            return (
                Difference(
                    "changed",
                    target.kind,
                    str(target.name),
                    {"definition": ("what the statement says", "something else")},
                ),
            )
        made = [d for d in diff(without, new) if d.change == "extra"]
        found: list[Difference] = []
        for difference in made:
            wanted, live = (
                new.find(difference.kind, difference.name),
                old.find(difference.kind, difference.name),
            )
            if wanted is None or live is None:
                found.append(Difference("missing", difference.kind, difference.name, {}))
            elif fields := changed_fields(wanted, live):
                found.append(Difference("changed", difference.kind, difference.name, fields))
        return tuple(found)
