"""The down that the difference of two catalogs implies: run up, down and up before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg

from dbtrust.judge.catalog import diff
from dbtrust.judge.repair.plan import repairs, told_apart
from dbtrust.migrate.known import Known
from dbtrust.migrate.patch_forms import Form
from dbtrust.migrate.populated import Populated
from dbtrust.migrate.sql_down import Draft, with_head
from dbtrust.migrate.world import World
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.source.layouts.ways_back import Home

#: Characters of a diff that are shown in any case.
_LONGEST = 20_000
#: So many losses one down may declare.
_LOSSES = 4


@dataclass(frozen=True, slots=True)
class Patch:
    """A proven down: its new statements, and the unified diff, "" where the layout has no place for it or it is too long."""

    statements: str
    diff: str


@dataclass(slots=True)
class Patcher:
    """Makes downs and proves them on the databases of a proof, which are left as they were."""

    bare: World
    full: Populated
    home: Home = field(default_factory=Home)

    def patch(self, migration: Migration, known: Known) -> Patch | None:
        """A proven down; None where none was proven.

        A down that leaves something is kept and gets the missing statements first; else all of it is made anew.
        """
        form = Form(self.home, migration)
        for draft in self._drafts(migration, known):
            proven = self._proven(form, known, draft)
            if proven is None:
                continue
            shown = form.diff(proven) or ""
            return Patch(proven.text, shown if len(shown) <= max(_LONGEST, len(proven.text) * 3) else "")
        return None

    def _drafts(self, migration: Migration, known: Known) -> Iterator[Draft]:
        implied = _statements(known.before, known.after, diff(known.before, known.after))
        if migration.down is not None and known.left and not known.down_failed:
            there = self._after_down(migration)
            missing = _statements(known.before, there, diff(known.before, there)) if there is not None else ()
            if missing:
                yield Draft(missing, keep=True)
        if implied:
            yield Draft(implied)

    def _after_down(self, migration: Migration) -> Catalog | None:
        try:
            with self.bare.trial(migration) as trial:
                trial.apply(migration)
                trial.apply(migration, "down")
                return trial.read()
        except DbtrustError:
            return None

    def _proven(self, form: Form, known: Known, draft: Draft) -> Draft | None:
        """The draft, with the losses it has to declare; None where it does not bring the catalog back."""
        candidate = form.candidate(draft)
        if candidate is None:
            return None
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
        return self._over_rows(form, candidate, Known(known.before, known.after), draft)

    def _over_rows(self, form: Form, candidate: Migration, known: Known, draft: Draft) -> Draft | None:
        """What no statement brings back stands above it as a declaration; it must hold with that."""
        for _ in range(_LOSSES):
            found = [v for v in self.full.prove(candidate, known) if v.verdict == "refuted"]
            lossy = [v for v in found if v.evidence.get("kind") == "lossy"]
            if not lossy:
                if not found or all(v.evidence.get("up failed") for v in found):
                    return draft
                said = " ".join(found[0].message.split())
                return with_head(draft, f"-- not over every row that may be written after the up: {said}")
            draft = with_head(draft, lossy[0].next.rpartition("declare the loss: ")[2])
            again = form.candidate(draft)
            if again is None:
                return None
            candidate = replace(candidate, down=again.down)
        return None


def _statements(wanted: Catalog, found: Catalog, differences: Sequence[Difference]) -> tuple[str, ...]:
    """The statements that make the one into the other, in an order in which they can be run."""
    made = repairs(wanted, found, told_apart(wanted, found, differences), "CURRENT_USER")
    lines = [s.replace("INDEX CONCURRENTLY", "INDEX") for repair in made for s in repair.statements]
    return tuple(line for line in lines if not line.startswith("--"))
