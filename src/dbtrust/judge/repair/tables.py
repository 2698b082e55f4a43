"""CREATE TABLE, and ALTER TABLE between two tellings of one table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dbtrust.judge.repair.grants import grant_column, grant_new
from dbtrust.judge.repair.options import change_options, server_options, with_options
from dbtrust.judge.repair.sequences import own, sequence_options
from dbtrust.judge.repair.words import (
    Definition,
    Side,
    comment,
    dotted,
    identifier,
    literal,
    names,
    note,
    owner_of,
)
from dbtrust.model.catalog import CatalogObject

_GENERATED = re.compile(r"(.*) (STORED|VIRTUAL)", re.DOTALL)


def create_table(item: CatalogObject, side: Side, owner: str) -> Iterator[str]:
    """The table with its columns; constraints, indexes and triggers are objects of their own."""
    told = item.definition
    unlogged = "UNLOGGED " if told["persistence"] == "unlogged" else ""
    foreign = "FOREIGN " if told["table_kind"] == "foreign" else ""
    tail = _storage(item)
    if "partition_bound" in told:
        parent = told["inherits"][0]
        yield f"CREATE {unlogged}{foreign}TABLE {dotted(item.path)} PARTITION OF {parent} {told['partition_bound']}{tail};"
    elif "of_type" in told:
        yield f"CREATE {unlogged}TABLE {dotted(item.path)} OF {told['of_type']}{tail};"
    else:
        own = [c for c in told.get("columns", ()) if c.get("inherited") != "inherited"]
        columns = ",\n  ".join(_column(item, c, side) for c in own)
        body = f" (\n  {columns}\n)" if columns else " ()"
        inherits = f" INHERITS ({', '.join(told['inherits'])})" if "inherits" in told else ""
        yield f"CREATE {unlogged}{foreign}TABLE {dotted(item.path)}{body}{inherits}{tail};"
    yield from table_settings(item, {})
    for column in told.get("columns", ()):
        yield from _column_details(item, column, {}, owner)
        yield from _own_sequence(item, column, side)
    if "comment" in told:
        yield comment(item, told["comment"])
    yield from grant_new(item, owner)


def _storage(item: CatalogObject) -> str:
    told = item.definition
    text = f" SERVER {identifier(told['server'])}" if "server" in told else ""
    text += f" OPTIONS ({server_options(told['server_options'])})" if "server_options" in told else ""
    text += f" PARTITION BY {told['partition_by']}" if "partition_by" in told else ""
    text += (
        f" USING {identifier(told['access_method'])}" if told.get("access_method", "heap") != "heap" else ""
    )
    text += with_options(told.get("options", ()), told.get("toast_options", ()))
    return text + (f" TABLESPACE {identifier(told['tablespace'])}" if "tablespace" in told else "")


def _column(table: CatalogObject, column: Definition, side: Side) -> str:
    text = f"{identifier(column['name'])} {column['type']}"
    text += f" OPTIONS ({server_options(column['server_options'])})" if "server_options" in column else ""
    text += f" COLLATE {column['collation']}" if "collation" in column else ""
    text += f" DEFAULT {column['default']}" if "default" in column else ""
    text += _generated(column)
    text += _identity(table, column, side) if "identity" in column else ""
    return text + ("" if column["nullable"] else " NOT NULL")


def _generated(column: Definition) -> str:
    if "generated" not in column:
        return ""
    found = _GENERATED.fullmatch(column["generated"])
    assert found is not None
    return f" GENERATED ALWAYS AS ({found[1]}) {found[2]}"


def _identity(table: CatalogObject, column: Definition, side: Side) -> str:
    how = f" GENERATED {column['identity'].upper()} AS IDENTITY"
    where = f"{dotted(table.path)}.{identifier(column['name'])}"
    for sequence in side.children.get(table.path, ()):
        if sequence.kind == "sequence" and owner_of(sequence) == ("identity of", where):
            return f"{how} (SEQUENCE NAME {dotted(sequence.path)} {sequence_options(sequence.definition)})"
    return how


def _own_sequence(table: CatalogObject, column: Definition, side: Side) -> Iterator[str]:
    where = f"{dotted(table.path)}.{identifier(column['name'])}"
    for sequence in side.children.get(table.path, ()):
        if sequence.kind == "sequence" and owner_of(sequence) == ("owned by", where):
            yield from own(sequence)


def _column_details(table: CatalogObject, new: Definition, old: Definition, owner: str) -> Iterator[str]:
    """What CREATE TABLE and ADD COLUMN leave to a statement of its own."""
    head = f"ALTER TABLE {dotted(table.path)} ALTER COLUMN {identifier(new['name'])}"
    if new.get("storage") != old.get("storage"):
        yield f"{head} SET STORAGE {str(new.get('storage', 'DEFAULT')).upper()};"
    if new.get("compression") != old.get("compression"):
        yield f"{head} SET COMPRESSION {new.get('compression', 'default')};"
    if new.get("statistics_target") != old.get("statistics_target"):
        yield f"{head} SET STATISTICS {new.get('statistics_target', -1)};"
    yield from change_options(head, new.get("options", ()), old.get("options", ()))
    if new.get("comment") != old.get("comment"):
        text = literal(new["comment"]) if "comment" in new else "NULL"
        yield f"COMMENT ON COLUMN {dotted(table.path)}.{identifier(new['name'])} IS {text};"
    yield from grant_column(table, new["name"], new.get("grants", {}), old.get("grants", {}), owner)


def table_settings(new: CatalogObject, old: Definition) -> Iterator[str]:
    """Row security and replica identity; {} is a table that was just created."""
    told, head = new.definition, f"ALTER TABLE {dotted(new.path)}"
    for key, words in (
        ("row_security", ("ENABLE", "DISABLE")),
        ("force_row_security", ("FORCE", "NO FORCE")),
    ):
        if told.get(key, False) != old.get(key, False):
            yield f"{head} {words[0] if told.get(key) else words[1]} ROW LEVEL SECURITY;"
    wanted = told.get("replica_identity", "default")
    # Which index it is stands with the index.
    if wanted not in (old.get("replica_identity", "default"), "index"):
        yield f"{head} REPLICA IDENTITY {wanted.upper()};"


def alter_table(new: CatalogObject, old: CatalogObject, side: Side, owner: str) -> Iterator[str]:
    """ALTER TABLE that makes `old` into `new`; what no statement can do is a note."""
    told, there, head = new.definition, old.definition, f"ALTER TABLE {dotted(new.path)}"
    for key in ("table_kind", "partition_by", "of_type", "server"):
        if told.get(key) != there.get(key):
            yield note(
                f"{key.replace('_', ' ')} cannot be changed: create another table, copy the rows, rename both"
            )
    if told["persistence"] != there["persistence"]:
        yield f"{head} SET {'UNLOGGED' if told['persistence'] == 'unlogged' else 'LOGGED'};"
    yield from _parents(new, old)
    yield from _columns(new, old, side, owner)
    yield from table_settings(new, there)
    yield from change_options(head, told.get("options", ()), there.get("options", ()))
    toasted = [[f"toast.{o}" for o in side_.get("toast_options", ())] for side_ in (told, there)]
    yield from change_options(head, *toasted)
    for key, words in (("access_method", "SET ACCESS METHOD"), ("tablespace", "SET TABLESPACE")):
        if told.get(key) != there.get(key):
            yield f"{head} {words} {identifier(told.get(key, 'pg_default'))};"
    if told.get("server_options") != there.get("server_options"):
        change = server_options(told.get("server_options", ()), there.get("server_options", ()))
        yield f"ALTER FOREIGN TABLE {dotted(new.path)} OPTIONS ({change});"


def _parents(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    told, there = new.definition, old.definition
    mine, others = told.get("inherits", []), there.get("inherits", [])
    bounds = told.get("partition_bound"), there.get("partition_bound")
    if mine == others and bounds[0] == bounds[1]:
        return
    for parent in others if bounds[1] else [p for p in others if p not in mine]:
        word = "DETACH PARTITION" if bounds[1] else "NO INHERIT"
        ends = (parent, new) if bounds[1] else (new, parent)
        yield _link(ends, word) + ";"
    for parent in mine if bounds[0] else [p for p in mine if p not in others]:
        if bounds[0]:
            yield f"{_link((parent, new), 'ATTACH PARTITION')} {bounds[0]};"
        else:
            yield f"{_link((new, parent), 'INHERIT')};"


def _link(ends: tuple[Any, Any], word: str) -> str:
    one, other = (end if isinstance(end, str) else dotted(end.path) for end in ends)
    return f"ALTER TABLE {one} {word} {other}"


def _columns(new: CatalogObject, old: CatalogObject, side: Side, owner: str) -> Iterator[str]:
    head = (
        f"ALTER {'FOREIGN ' if old.definition.get('table_kind') == 'foreign' else ''}TABLE {dotted(new.path)}"
    )
    wanted = {c["name"]: c for c in new.definition.get("columns", ())}
    there = {c["name"]: c for c in old.definition.get("columns", ())}
    if renamed := _renamed(wanted, there):
        was, name = renamed
        yield note("takes it for a column that was renamed: its rows stay")
        yield f"{head} RENAME COLUMN {identifier(was)} TO {identifier(name)};"
        there = {
            name if key == was else key: {**c, "name": name if key == was else key}
            for key, c in there.items()
        }
    for name in there:
        if name not in wanted and there[name].get("inherited") != "inherited":
            yield f"{head} DROP COLUMN {identifier(name)};"
    for name, column in wanted.items():
        if name not in there:
            if not column["nullable"] and not {"default", "identity", "generated"} & column.keys():
                yield note(f"where there are rows, add {name} without NOT NULL, fill it, then SET NOT NULL")
            yield f"{head} ADD COLUMN {_column(new, column, side)};"
            yield from _column_details(new, column, {}, owner)
            yield from _own_sequence(new, column, side)
        elif column != there[name]:
            yield from _alter_column(head, new, column, there[name], side)
            yield from _column_details(new, column, there[name], owner)
    yield from _order(wanted, there, new)


def _renamed(wanted: Mapping[str, Definition], there: Mapping[str, Definition]) -> tuple[str, str] | None:
    """(old, new) where the tables differ in the name of one column, which is the same in all else."""
    apart = [pair for pair in zip(there, wanted, strict=False) if pair[0] != pair[1]]
    if len(wanted) != len(there) or len(apart) != 1:
        return None
    was, name = apart[0]
    return (was, name) if {**there[was], "name": name} == wanted[name] else None


def _order(wanted: Mapping[str, Any], there: Mapping[str, Any], table: CatalogObject) -> Iterator[str]:
    common = [n for n in wanted if n in there], [n for n in there if n in wanted]
    last = list(there)[-1:] if wanted.keys() - there.keys() else []
    if common[0] != common[1]:
        yield note(
            f"the order of columns cannot be changed: create {dotted(table.path)} anew with ({names(wanted)}), copy the"
            " rows and rename, or pass --ignore-column-order"
        )
    elif last and list(wanted)[: len(common[0])] != common[0]:
        yield note("a column can only be added at the end: its place then differs (--ignore-column-order)")


def _alter_column(
    head: str, table: CatalogObject, new: Definition, old: Definition, side: Side
) -> Iterator[str]:
    column = f"{head} ALTER COLUMN {identifier(new['name'])}"
    changed = {key for key in (*new, *old) if new.get(key) != old.get(key)}
    if "default" in changed and "default" in old:
        yield f"{column} DROP DEFAULT;"
    if "identity" in changed and "identity" not in new:
        yield f"{column} DROP IDENTITY;"
    if changed & {"type", "collation"}:
        yield from _retype(column, new, changed)
    if "generated" in changed:
        yield from _regenerate(head, table, new, old, side)
    elif "default" in changed and "default" in new:
        yield f"{column} SET DEFAULT {new['default']};"
    if "nullable" in changed and "generated" not in changed:
        yield f"{column} {'DROP' if new['nullable'] else 'SET'} NOT NULL;"
    if "identity" in changed and "identity" in new:
        yield (
            f"{column} SET GENERATED {new['identity'].upper()};"
            if "identity" in old
            else f"{column} ADD{_identity(table, new, side)};"
        )
    if "server_options" in changed:
        change = server_options(new.get("server_options", ()), old.get("server_options", ()))
        yield f"{column} OPTIONS ({change});"


def _retype(column: str, new: Definition, changed: set[str]) -> Iterator[str]:
    if "type" in changed:
        yield note(
            "a new type rewrites or reads the whole table under ACCESS EXCLUSIVE; look at what USING makes of the values"
        )
    name = identifier(new["name"])
    collation = f" COLLATE {new['collation']}" if "collation" in new else ""
    yield f"{column} TYPE {new['type']}{collation} USING {name}::{new['type']};"


def _regenerate(
    head: str, table: CatalogObject, new: Definition, old: Definition, side: Side
) -> Iterator[str]:
    name = identifier(new["name"])
    if "generated" not in new:
        yield f"{head} ALTER COLUMN {name} DROP EXPRESSION;"
        if "default" in new:
            yield f"{head} ALTER COLUMN {name} SET DEFAULT {new['default']};"
    elif "generated" in old and new["generated"].rpartition(" ")[2] == old["generated"].rpartition(" ")[2]:
        found = _GENERATED.fullmatch(new["generated"])
        assert found is not None
        yield note("SET EXPRESSION needs PostgreSQL 17 and rewrites the table")
        yield f"{head} ALTER COLUMN {name} SET EXPRESSION AS ({found[1]});"
    else:
        yield note("destroys the column's values, its indexes and constraints; the column then stands last")
        yield f"{head} DROP COLUMN {name};"
        yield f"{head} ADD COLUMN {_column(table, new, side)};"
