"""A draft of a down as what is run, and as what is shown: SQL files of every layout, and Alembic's revisions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dbtrust.judge.statements import SqlSyntaxError, split
from dbtrust.migrate.python_down import operations, with_function
from dbtrust.migrate.sql_down import Draft, composed, with_down
from dbtrust.migrate.unified import unified
from dbtrust.model.location import Location
from dbtrust.model.project import Migration, Script
from dbtrust.source.layouts.scripts import NO_TRANSACTION
from dbtrust.source.layouts.ways_back import Home

#: As SQLAlchemy's text() finds parameters: a colon before a word that no colon or word stands before.
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass(frozen=True, slots=True)
class Form:
    """How the down of one migration is written."""

    home: Home
    migration: Migration

    @property
    def program(self) -> bool:
        return self.migration.up is not None and self.migration.up.other_down is not None

    def candidate(self, draft: Draft) -> Migration | None:
        """The migration with the draft as its down; None where the file has no place for it."""
        lossy = tuple(m[1].strip() for line in draft.head if (m := _LOSSY.match(line)))
        own = self.migration.down.lossy if self.migration.down is not None else ()
        if not self.program:
            there = self.migration.down or Script("", str(self.migration.location.file), Location())
            return replace(
                self.migration,
                down=replace(there, sql=composed(draft, there.sql), lossy=(*own, *lossy), verify=()),
            )
        assert self.migration.up is not None and self.migration.up.other_down is not None
        new = self._revision(draft)
        if new is None:
            return None
        file = str(self.migration.location.file)
        run = self.migration.up.other_down(new.removeprefix("\ufeff"))
        down = Script("", file, Location(), NO_TRANSACTION, lossy=(*own, *lossy), run=run)
        return replace(self.migration, down=down)

    def diff(self, draft: Draft) -> str | None:
        """The unified diff from the project's root; None where the layout has no place for a down."""
        file = str(self.migration.location.file)
        if self.program:
            old, new = self.home.text(file), self._revision(draft)
            return unified(file, old, new) if old is not None and new is not None else None
        back = self.home.way_back(self.migration)
        if back is None:
            return None
        down = self.migration.down
        old = self.home.text(back.file)
        if down is None and back.file != file:
            return unified(back.file, old, draft.text)
        if old is None:
            old = down.sql if down is not None and down.file != file else None
        if old is None or (down is not None and not _in_step(old, down.sql)):
            return None
        return unified(back.file, old, with_down(old, down.sql if down is not None else "", draft, back))

    def _revision(self, draft: Draft) -> str | None:
        """The exact text of the revision with the draft in its downgrade()."""
        text = self.home.text(str(self.migration.location.file))
        if text is None:
            return None
        op, needed = operations(text)
        lines = [*([needed] if needed else []), *executes(draft, op)]
        head = [f"# {' '.join(line.removeprefix('--').split())}" for line in draft.head]
        header = "def downgrade() -> None:"
        return with_function(text, "downgrade", header, lines, head=head, keep=draft.keep)


_LOSSY = re.compile(r"-- lossy:(.*)")


def _in_step(text: str, sql: str) -> bool:
    """Is the file still the one that was read? The SQL of a half stands in the lines of its file."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    own = sql.split("\n")
    return len(own) <= len(lines) and all(line.strip() in lines[n] for n, line in enumerate(own))


def executes(draft: Draft, op: str = "op") -> list[str]:
    """Statements as calls of op.execute, which reads `:name` as a parameter unless it is escaped."""
    try:
        statements = split("".join(f"{line}\n" for line in draft.body))
    except SqlSyntaxError:
        return []
    texts = [_PARAMETER.sub(r"\\:", s.text) for s in statements]
    return [f"{op}.execute({text!r})" for text in texts]
