"""Enums, domains, composite and range types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbtrust.judge.repair.grants import grant_new
from dbtrust.judge.repair.words import Definition, comment, dotted, identifier, literal, note
from dbtrust.model.catalog import CatalogObject


def create_type(item: CatalogObject, owner: str) -> Iterator[str]:
    told, name = item.definition, dotted(item.path)
    match told["type_kind"]:
        case "enum":
            yield f"CREATE TYPE {name} AS ENUM ({', '.join(literal(x) for x in told.get('labels', ()))});"
        case "domain":
            yield from _domain(item)
        case "composite":
            yield f"CREATE TYPE {name} AS ({', '.join(_attribute(c) for c in told.get('columns', ()))});"
        case "range":
            yield f"CREATE TYPE {name} AS RANGE ({', '.join(_range(told['range']))});"
        case kind:
            yield note(
                f"a {kind} type is made by its own functions: run the declaring file's statements for {name}"
            )
    for column in told.get("columns", ()):
        if "comment" in column:
            yield _attribute_comment(item, column)
    if "comment" in told:
        yield comment(item, told["comment"])
    yield from grant_new(item, owner)


def _domain(item: CatalogObject) -> Iterator[str]:
    told = item.definition
    text = f"CREATE DOMAIN {dotted(item.path)} AS {told['base_type']}"
    text += f" COLLATE {told['collation']}" if "collation" in told else ""
    text += f" DEFAULT {told['default']}" if "default" in told else ""
    yield text + (";" if told["nullable"] else " NOT NULL;")
    for check in told.get("constraints", ()):
        yield from _add_check(item, check)


def _add_check(item: CatalogObject, check: Definition) -> Iterator[str]:
    yield f"ALTER DOMAIN {dotted(item.path)} ADD CONSTRAINT {identifier(check['name'])} {check['definition']};"
    if "comment" in check:
        yield _check_comment(item, check)


def _check_comment(item: CatalogObject, check: Definition) -> str:
    text = literal(check["comment"]) if "comment" in check else "NULL"
    return f"COMMENT ON CONSTRAINT {identifier(check['name'])} ON DOMAIN {dotted(item.path)} IS {text};"


def _attribute(column: Definition) -> str:
    collation = f" COLLATE {column['collation']}" if "collation" in column else ""
    return f"{identifier(column['name'])} {column['type']}{collation}"


def _attribute_comment(item: CatalogObject, column: Definition) -> str:
    text = literal(column["comment"]) if "comment" in column else "NULL"
    return f"COMMENT ON COLUMN {dotted(item.path)}.{identifier(column['name'])} IS {text};"


def _range(parts: Sequence[str]) -> Iterator[str]:
    names = {
        "subtype": "subtype", "opclass": "subtype_opclass", "collation": "collation", "canonical": "canonical",
        "subtype_diff": "subtype_diff", "multirange": "multirange_type_name",
    }  # fmt: skip
    for part in parts:
        key, _, value = part.partition("=")
        if value != "-":
            yield f"{names[key]} = {value}"


def alter_type(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    """ALTER TYPE or DOMAIN; what no statement can do is a note."""
    told, there = new.definition, old.definition
    kind = told["type_kind"]
    if kind != there["type_kind"] or kind in ("range", "base", "shell"):
        yield from _anew(new, "a type cannot become another one")
    elif kind == "enum":
        yield from _labels(new, told.get("labels", ()), there.get("labels", ()))
    elif kind == "composite":
        yield from _attributes(new, old)
    else:
        yield from _alter_domain(new, old)


def _anew(item: CatalogObject, why: str) -> Iterator[str]:
    name = dotted(item.path)
    yield note(
        f"{why}: rename {name}, create it as declared, change each column that has it with USING, drop the old one"
    )


def _labels(item: CatalogObject, wanted: Sequence[str], there: Sequence[str]) -> Iterator[str]:
    head = f"ALTER TYPE {dotted(item.path)}"
    apart = [n for n, pair in enumerate(zip(wanted, there, strict=False)) if pair[0] != pair[1]]
    if len(wanted) == len(there) and len(apart) == 1 and wanted[apart[0]] not in there:
        yield note("takes it for a label that was renamed: rows that hold it follow")
        yield f"{head} RENAME VALUE {literal(there[apart[0]])} TO {literal(wanted[apart[0]])};"
        return
    if [x for x in there if x in wanted] != [x for x in wanted if x in there] or set(there) - set(wanted):
        yield from _anew(item, "a label can neither be removed nor moved")
        return
    for place, label in enumerate(wanted):
        if label not in there:
            where = (
                f" AFTER {literal(wanted[place - 1])}"
                if place
                else f" BEFORE {literal(there[0])}"
                if there
                else ""
            )
            yield f"{head} ADD VALUE {literal(label)}{where};"


def _attributes(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    head = f"ALTER TYPE {dotted(new.path)}"
    wanted = {c["name"]: c for c in new.definition.get("columns", ())}
    there = {c["name"]: c for c in old.definition.get("columns", ())}
    for name in there:
        if name not in wanted:
            yield note("every row that holds the type loses this attribute")
            yield f"{head} DROP ATTRIBUTE {identifier(name)};"
    for name, column in wanted.items():
        if name not in there:
            yield f"{head} ADD ATTRIBUTE {_attribute(column)};"
        elif any(column.get(key) != there[name].get(key) for key in ("type", "collation")):
            yield note("refused while a table has a column of this type")
            collation = f" COLLATE {column['collation']}" if "collation" in column else ""
            yield f"{head} ALTER ATTRIBUTE {identifier(name)} TYPE {column['type']}{collation};"
        if column.get("comment") != there.get(name, {}).get("comment"):
            yield _attribute_comment(new, column)


def _alter_domain(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    told, there, head = new.definition, old.definition, f"ALTER DOMAIN {dotted(new.path)}"
    if any(told.get(key) != there.get(key) for key in ("base_type", "collation")):
        yield from _anew(new, "a domain keeps its base type")
        return
    if told.get("default") != there.get("default"):
        yield f"{head} SET DEFAULT {told['default']};" if "default" in told else f"{head} DROP DEFAULT;"
    if told["nullable"] != there["nullable"]:
        yield f"{head} {'DROP' if told['nullable'] else 'SET'} NOT NULL;"
    wanted = {c["name"]: c for c in told.get("constraints", ())}
    found = {c["name"]: c for c in there.get("constraints", ())}
    for name, check in found.items():
        if name not in wanted or wanted[name]["definition"] != check["definition"]:
            yield f"{head} DROP CONSTRAINT {identifier(name)};"
    for name, check in wanted.items():
        if name not in found or found[name]["definition"] != check["definition"]:
            yield from _add_check(new, check)
        elif found[name].get("comment") != check.get("comment"):
            yield _check_comment(new, check)
