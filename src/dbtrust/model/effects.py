"""What a statement leaves behind that commits by itself: what is looked at after a crash to tell how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: "repeat": doing it again does no harm (VACUUM, REINDEX). "named": an object that is there or not.
#: "unknown": nothing in the catalog tells (CALL and DO with COMMIT): at least once.
Kind = Literal["index", "drop index", "reindex", "detach", "repeat", "named", "unknown"]


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of one statement. `schema` None means the search path.

    index: `name` ("" where the server picks it), `table`, and `trial`, the same index without its name, CONCURRENTLY
    and IF NOT EXISTS on a table `pg_temp.dbtrust_trial`. reindex: `name` is the index or table ("" for a whole schema
    or database), `of` says which. detach: `table` is the parent, `name` the partition. named: `of` is "database",
    "tablespace" or "subscription", `gone` true for a DROP.
    """

    kind: Kind
    schema: str | None = None
    name: str = ""
    table: str = ""
    table_schema: str | None = None
    trial: str = ""
    if_not_exists: bool = False
    of: str = ""
    gone: bool = False

    @property
    def waits_for_snapshots(self) -> bool:
        """Does it run CONCURRENTLY: nobody waits behind it, and it waits for old snapshots?"""
        return self.kind in ("index", "drop index", "reindex", "detach")
