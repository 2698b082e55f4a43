"""The down that the difference of two catalogs implies: run up, down and up before anybody sees it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import psycopg

from dbtrust.judge.catalog import diff
from dbtrust.judge.repair.plan import repairs, told_apart
from dbtrust.judge.statements import split
from dbtrust.migrate.known import Known
from dbtrust.migrate.populated import Populated
from dbtrust.migrate.world import World
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location
from dbtrust.model.project import Migration, Script

#: Characters of a diff that are shown in any case.
_LONGEST = 20_000


@dataclass(slots=True)
class Patcher:
    """Makes downs and proves them on the databases of a proof, which are left as they were."""

    bare: World
    full: Populated

    def patch(self, migration: Migration, known: Known) -> str | None:
        """The text of a proven down, or a unified diff to it where there is a down; None where none was proven.

        A down that leaves something is kept and gets the missing statements first; else all of it is made anew.
        """
        for text in self._texts(migration, known):
            with_lossy = self._proven(migration, known, text)
            if with_lossy is None:
                continue
            shown = _shown(migration, with_lossy)
            # The diff of a very long down is longer than what is written instead.
            return min(shown, with_lossy, key=len) if len(shown) > _LONGEST else shown
        return None

    def _texts(self, migration: Migration, known: Known) -> Sequence[str]:
        implied = _statements(known.before, known.after, diff(known.before, known.after))
        down = migration.down
        # A program's half cannot be cut into statements: all of its down is made anew.
        if down is None or down.run is not None or not known.left or known.down_failed:
            return [implied]
        there = self._after_down(migration)
        missing = _statements(known.before, there, diff(known.before, there)) if there is not None else ""
        own = down.sql.strip("\n ")
        return [f"{own}\n{missing}", implied] if missing else [implied]

    def _after_down(self, migration: Migration) -> Catalog | None:
        try:
            with self.bare.trial(migration) as trial:
                trial.apply(migration)
                trial.apply(migration, "down")
                return trial.read()
        except DbtrustError:
            return None

    def _proven(self, migration: Migration, known: Known, text: str) -> str | None:
        """The text, with the losses it has to declare; None where it does not bring the catalog back."""
        if not text.strip():
            return None
        down = Script(text, str(migration.location.file), Location())
        candidate = replace(migration, down=down)
        try:
            with self.bare.trial(candidate) as trial:
                trial.apply(candidate)
                trial.apply(candidate, "down")
                if diff(known.before, trial.read()):
                    return None
                trial.apply(candidate)
                if diff(known.after, trial.read()):
                    return None
        except (DbtrustError, psycopg.Error):
            return None
        return self._over_rows(candidate, Known(known.before, known.after), text)

    def _over_rows(self, candidate: Migration, known: Known, text: str) -> str | None:
        """What no statement brings back stands above it as a declaration; it must hold with that."""
        for _ in range(4):
            found = [v for v in self.full.prove(candidate, known) if v.verdict == "refuted"]
            lossy = [v for v in found if v.evidence.get("kind") == "lossy"]
            if not lossy:
                return (
                    text
                    if not found or all(v.evidence.get("up failed") for v in found)
                    else _warned(text, found[0].message)
                )
            line = lossy[0].next.rpartition("declare the loss: ")[2]
            text = f"{line}\n{text}"
            down = candidate.down
            assert down is not None
            lines = (*down.lossy, line.removeprefix("-- lossy: "))
            candidate = replace(candidate, down=replace(down, sql=text, lossy=lines))
        return None


def _warned(text: str, message: str) -> str:
    """It brings the catalog and the old rows back, and fails over some rows that new code may write."""
    return f"-- not over every row that may be written after the up: {' '.join(message.split())}\n{text}"


def _statements(wanted: Catalog, found: Catalog, differences: Sequence[Difference]) -> str:
    """The statements that make the one into the other, in an order in which they can be run."""
    made = repairs(wanted, found, told_apart(wanted, found, differences), "CURRENT_USER")
    lines = [s.replace("INDEX CONCURRENTLY", "INDEX") for repair in made for s in repair.statements]
    kept = [line for line in lines if not line.startswith("--")]
    return "".join(f"{line}\n" for line in kept)


def in_alembic(text: str) -> str:
    """Statements as the downgrade() of a revision; its op.execute reads `:name` as a parameter, unless it is escaped."""
    lines = ["def downgrade() -> None:"]
    lines += [
        f"    # {' '.join(line.removeprefix('--').split())}"
        for line in text.splitlines()
        if line.startswith("--")
    ]
    for statement in split(text):
        escaped = _PARAMETER.sub(r"\\:", statement.text)
        lines.append(f"    op.execute({escaped!r})")
    return "\n".join(lines) + "\n"


#: As SQLAlchemy's text() finds parameters: a colon before a word that no colon or word stands before.
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


def _shown(migration: Migration, text: str) -> str:
    down = migration.down
    if migration.up is not None and migration.up.run is not None:
        return in_alembic(text)
    if down is None:
        return text
    old = down.sql.strip("\n ").splitlines(keepends=True)
    if old and not old[-1].endswith("\n"):
        old[-1] += "\n"
    return "".join(difflib.unified_diff(old, text.splitlines(keepends=True), down.file, down.file))
