"""Commands of a project's code that wrote to a database which is not the scratch copy that it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from dbtrust.engine.mongo.capture import Recorded
from dbtrust.engine.mongo.stages import OUTPUT

Document = Mapping[str, Any]


def strays(commands: Iterable[Recorded], own: str) -> list[tuple[str, str]]:
    """(name of the command, database) of what was written elsewhere than in `own`, each once."""
    found = {(one.name, database): None for one in commands if one.wrote for database in _written(one)}
    return [stray for stray in found if stray[1] != own]


def _written(one: Recorded) -> Iterator[str]:
    command = one.command
    if one.name == "renameCollection":  # sent to admin
        yield from (
            str(command[key]).partition(".")[0] for key in ("renameCollection", "to") if key in command
        )
    elif one.name == "bulkWrite":  # sent to admin
        for namespace in cast("Iterable[Document]", command.get("nsInfo", ())):
            yield str(namespace.get("ns", "")).partition(".")[0]
    elif one.name == "aggregate":
        yield _output(cast("Document", command["pipeline"][-1]), one.database)
    else:
        yield one.database


def _output(stage: Document, database: str) -> str:
    """Where $out or $merge writes: {db, coll}, or into: {db, coll}; a text is a collection of the same database."""
    body: Any = next(value for key, value in stage.items() if key in OUTPUT)
    into: Any = cast("Document", body).get("into", body) if isinstance(body, Mapping) else body
    return str(cast("Document", into).get("db", database)) if isinstance(into, Mapping) else database
