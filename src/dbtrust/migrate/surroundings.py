"""What a history expects of a server beside its own scripts: extensions and roles, lent to it where nobody configured any."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dbtrust.engine.postgres.extensions import available_extensions
from dbtrust.engine.postgres.roles import foreign_roles, lend_roles
from dbtrust.engine.postgres.server import OWNER
from dbtrust.judge.needs import Needs, Part, needs_of
from dbtrust.model.location import locate
from dbtrust.model.project import Script
from dbtrust.model.report import NotExamined
from dbtrust.source.layouts.reading import Hole, Read, Reading, with_hole
from dbtrust.source.layouts.scripts import blank
from dbtrust.stage.postgres import PostgresStage


@dataclass(frozen=True, slots=True)
class Lent:
    """The history without what was done for it: `extensions` are created in each database by the superuser."""

    reading: Reading
    extensions: tuple[str, ...]
    #: Are functions of our own to take the place of uuid-ossp's?
    uuid_stand_in: bool
    not_examined: tuple[NotExamined, ...]


def lend(reading: Reading, stage: PostgresStage) -> Lent:
    """Looks through every script. On an embedded server roles are made, and extensions that need a superuser.

    uuid-ossp, which nearly every second history creates for one function, is stood in for where a server lacks it.
    Another migration that creates an extension that the server does not have gets a hole; its other statements stay.
    """
    needs = {id(s): needs_of(s.sql) for s in _scripts(reading)}
    with stage.scratch.admin("postgres" if stage.embedded else "") as admin:
        available = available_extensions(admin)
        wanted = {role for n in needs.values() for role in n.roles}
        roles = foreign_roles(admin, wanted, OWNER) if stage.embedded else []
        lend_roles(admin, roles, OWNER)
    named = {part.name for n in needs.values() for part in n.parts if part.kind == "extension"}
    lent = sorted(n for n in named if stage.embedded and available.get(n) is False)
    stood_in = stage.embedded and UUID_OSSP not in available and _in_public(needs)
    done = {*lent, *([UUID_OSSP] if stood_in else [])}
    reads = [_read(read, needs, available, done, stage.embedded) for read in reading.reads]
    told = (*_told(reading, needs, roles, lent), *([_of_stand_in(reading)] if stood_in else []))
    return Lent(replace(reading, reads=reads), tuple(lent), stood_in, told)


UUID_OSSP = "uuid-ossp"


def _in_public(needs: dict[int, Needs]) -> bool:
    """Is uuid-ossp created at all, and never in a schema of its own, where its functions would be called by that name?"""
    found = [part for n in needs.values() for part in n.parts if part.name == UUID_OSSP]
    return bool(found) and all(part.schema in ("", "public") for part in found)


def _of_stand_in(reading: Reading) -> NotExamined:
    what = f"{reading.folder or '.'}: CREATE and DROP EXTENSION of {UUID_OSSP}"
    needs = (
        "uuid-ossp, which this server lacks; functions of the same names on gen_random_uuid() stand in for it"
    )
    return NotExamined(what, needs)


def _scripts(reading: Reading) -> Iterable[Script]:
    for read in reading.reads:
        yield from (s for s in (read.migration.up, read.migration.down) if s is not None)


def _read(
    read: Read, needs: dict[int, Needs], available: dict[str, bool], lent: set[str], embedded: bool
) -> Read:
    """The migration without the statements that were done for it, and those that no one can do."""
    hole: Hole | None = None
    halves: dict[str, Script | None] = {}
    for half in ("up", "down"):
        script: Script | None = getattr(read.migration, half)
        halves[half] = script
        if script is None:
            continue
        found = needs[id(script)].parts
        missing = [
            p for p in found if p.kind == "extension" and p.name not in available and p.name not in lent
        ]
        gone = [*missing, *(p for p in found if embedded and (p.kind == "role" or p.name in lent))]
        halves[half] = _without(script, gone) if gone else script
        hole = hole or (_missing(script, missing[0]) if missing else None)
    return with_hole(replace(read, migration=replace(read.migration, **halves)), hole)


def _without(script: Script, parts: Iterable[Part]) -> Script:
    sql = script.sql
    for part in parts:
        sql = sql[: part.start] + blank(sql[part.start : part.end]) + sql[part.end :]
    return replace(script, sql=sql)


def _missing(script: Script, part: Part) -> Hole:
    start = (
        part.start + len(script.sql[part.start : part.end]) - len(script.sql[part.start : part.end].lstrip())
    )
    message = f"the server has no extension {part.name}"
    step = f"prove it on a server that has {part.name} (--postgres URL)"
    return Hole("extension", message, step, locate(script.sql, start, script.file), partly=True)


def _told(
    reading: Reading, needs: dict[int, Needs], roles: list[str], lent: list[str]
) -> Iterable[NotExamined]:
    place = reading.folder or "."
    if roles:
        made = f"{place}: the statements that create, alter or drop roles"
        about = any(part.kind == "role" for n in needs.values() for part in n.parts)
        what = made if about else f"{place}: rights of the real roles"
        yield NotExamined(what, f"the roles of a server; made here without rights: {', '.join(roles)}")
    if lent:
        what = f"{place}: CREATE and DROP EXTENSION of {', '.join(lent)}"
        yield NotExamined(what, "a superuser; they are created before the history")
