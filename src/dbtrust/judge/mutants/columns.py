"""Mutants of columns, privileges and row security, from the tables of a PostgreSQL catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dbtrust.judge.rules.indexes import named
from dbtrust.model.catalog import Catalog, CatalogObject
from dbtrust.model.mutants import Aim, Change, Mutant, name, raw, regclass, value

_MOMENTS = frozenset(
    {"now()", "CURRENT_TIMESTAMP", "statement_timestamp()", "clock_timestamp()", "LOCALTIMESTAMP"}
)
_NUMBER = re.compile(r"\(?'?(-?\d+(?:\.\d+)?)'?\)?(::(?!text|character)[\w ]+(?:\([\d,]+\))?)?\Z")
_TEXT = re.compile(r"'.*'::(?:text|character varying|character)\Z", re.DOTALL)
_EMPTY = {"'{}'::jsonb": "'[]'::jsonb", "'[]'::jsonb": "'{}'::jsonb"}
_PROBE_COLUMN = "SELECT {} FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {}"
_PROBE_DEFAULT = (
    "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a"
    " ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = to_regclass({}) AND a.attname = {}"
)


def column_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """NOT NULL, defaults, identity and generated columns; partitions and children follow their parent."""
    keys = _key_columns(catalog)
    labels = {o.name: o.definition.get("labels", []) for o in catalog.objects if o.kind == "type"}
    for table in _tables(catalog):
        for column in table.definition.get("columns", []):
            if "inherited" not in column:
                yield from _column(table, column, keys.get(table.name, frozenset()), labels)


def _tables(catalog: Catalog) -> Iterator[CatalogObject]:
    for item in catalog.objects:
        told = item.definition
        if item.kind == "table" and told.get("table_kind") != "foreign" and "partition_bound" not in told:
            yield item


def _key_columns(catalog: Catalog) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for item in catalog.objects:
        if item.kind == "constraint" and item.definition["structure"]["type"] == "primary key":
            columns = frozenset(item.definition["structure"]["columns"])
            found[item.name[: -len(item.definition["name"]) - 1].rstrip('"')] = columns
    return found


def _column(
    table: CatalogObject, column: Mapping[str, Any], key: frozenset[str], labels: Mapping[str, Sequence[str]]
) -> Iterator[Mutant]:
    if not column["nullable"]:
        yield _not_null(table, column, key)
    if "default" in column:
        yield from _default(table, column, labels)
    if "identity" in column:
        yield from _identity(table, column)
    if "generated" in column:
        yield _mutant(
            table,
            column,
            "generated",
            "drop",
            "is no longer generated",
            "DROP EXPRESSION",
            "attgenerated::text",
        )


def _mutant(
    table: CatalogObject, column: Mapping[str, Any], suffix: str, operator: str, what: str, action: Any, state: str,
    aim: str = "", equivalent: str = "",
) -> Mutant:  # fmt: skip
    """A change of one column that ALTER COLUMN makes; `state` is the column of pg_attribute that tells it."""
    schema, told = table.definition["schema"], table.definition["name"]
    here = column["name"]
    change = action if isinstance(action, Change) else Change(
        "ALTER TABLE {} ALTER COLUMN {} {}", (name(schema, told), name(here), raw(action))
    )  # fmt: skip
    probe = Change(_PROBE_COLUMN, (raw(state), regclass(schema, told), value(here)))
    return Mutant(
        "postgres", f"constraint:{named(schema, told, f'{here}_{suffix}')}", operator,
        f"{named(schema, told)}.{here} {what}", (change,), probe, frozenset({(schema, told)}),
        aim=Aim(aim, schema, told, here, str(column.get("default", ""))), equivalent=equivalent,
    )  # fmt: skip


def _not_null(table: CatalogObject, column: Mapping[str, Any], key: frozenset[str]) -> Mutant:
    why = "its primary key refuses NULL" if column["name"] in key else ""
    why = why or ("an identity column refuses NULL" if "identity" in column else "")
    return _mutant(
        table,
        column,
        "not_null",
        "drop",
        "accepts NULL",
        "DROP NOT NULL",
        "attnotnull::text",
        "not_null",
        why,
    )


def _default(
    table: CatalogObject, column: Mapping[str, Any], labels: Mapping[str, Sequence[str]]
) -> Iterator[Mutant]:
    schema, told, here = table.definition["schema"], table.definition["name"], column["name"]
    probe = Change(_PROBE_DEFAULT, (regclass(schema, told), value(here)))
    changes = [("drop", "has no default", "DROP DEFAULT")]
    if other := changed_default(column["default"], column["type"], labels):
        changes.append(("change", f"has the default {other}", f"SET DEFAULT {other}"))
    for operator, what, action in changes:
        made = _mutant(table, column, "default", operator, what, action, "", "default")
        yield Mutant(
            "postgres", made.subject, operator, made.what, made.changes, probe, made.relations, aim=made.aim
        )


def changed_default(default: str, type_: str, labels: Mapping[str, Sequence[str]]) -> str | None:
    """Another default of the same type, None where none is known to be unlike the first."""
    if default in ("true", "false"):
        return "false" if default == "true" else "true"
    if default in _EMPTY:
        return _EMPTY[default]
    if default == "CURRENT_DATE":
        return "(CURRENT_DATE + 1)"
    if default in _MOMENTS:
        return f"({default} + '1 day'::interval)"
    if _NUMBER.match(default) and "char" not in type_ and "text" not in type_:
        return (
            f"({default} + 1)" if type_.startswith(("small", "int", "big", "num", "real", "double")) else None
        )
    if _TEXT.match(default):
        return f"({default} || '?'::text)"
    other = [label for label in labels.get(type_, ()) if not default.startswith(f"'{label}'")]
    return f"'{other[0].replace(chr(39), chr(39) * 2)}'::{type_}" if other else None


def _identity(table: CatalogObject, column: Mapping[str, Any]) -> Iterator[Mutant]:
    if column["identity"] == "always":
        yield _mutant(
            table, column, "identity", "weaken", "takes a value of the client's", "SET GENERATED BY DEFAULT",
            "attidentity::text", "identity",
        )  # fmt: skip
    yield _mutant(
        table,
        column,
        "identity",
        "drop",
        "is no longer generated",
        "DROP IDENTITY",
        "attidentity::text",
        "default",
    )


def privilege_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Each privilege of a role, or of PUBLIC, on a table, view or sequence revoked."""
    for item in catalog.objects:
        if item.kind not in ("table", "view", "materialized view"):
            continue
        for role, privileges in item.definition.get("grants", {}).items():
            for privilege in privileges if role != "owner" else ():
                yield _revoked(item, role, privilege.removesuffix(" WITH GRANT OPTION"))


def _revoked(item: CatalogObject, role: str, privilege: str) -> Mutant:
    schema, told = item.definition["schema"], item.definition["name"]
    grantee = raw("PUBLIC") if role == "public" else name(role)
    probe = Change(
        "SELECT has_table_privilege({}, to_regclass({}), {})::text",
        (value(role), regclass(schema, told), value(privilege)),
    )
    return Mutant(
        "postgres", f"constraint:{named(schema, told, f'{role}_grant')}", "revoke",
        f"{privilege} on {named(schema, told)} revoked from {role}",
        (Change("REVOKE {} ON TABLE {} FROM {}", (raw(privilege), name(schema, told), grantee)),),
        probe, frozenset({(schema, told)}),
    )  # fmt: skip


def security_mutants(catalog: Catalog) -> Iterator[Mutant]:
    """Row security switched off or no longer forced, and each policy dropped."""
    for table in _tables(catalog):
        schema, told = table.definition["schema"], table.definition["name"]
        for key, what, action, state in (
            ("row_security", "has no row security", "DISABLE", "relrowsecurity"),
            ("force_row_security", "lets its owner pass", "NO FORCE", "relforcerowsecurity"),
        ):
            if table.definition.get(key):
                yield Mutant(
                    "postgres", f"constraint:{named(schema, told, key)}", "weaken", f"{named(schema, told)} {what}",
                    (Change("ALTER TABLE {} {} ROW LEVEL SECURITY", (name(schema, told), raw(action))),),
                    Change("SELECT {}::text FROM pg_class WHERE oid = to_regclass({})", (raw(state), regclass(schema, told))),
                    frozenset({(schema, told)}),
                )  # fmt: skip
    yield from _policies(catalog)


def _policies(catalog: Catalog) -> Iterator[Mutant]:
    from dbtrust.model.catalog import path_of

    for item in catalog.objects:
        if item.kind == "policy":
            schema, table, policy = path_of(item.name)
            yield Mutant(
                "postgres", f"constraint:{named(schema, table, policy)}", "drop", f"policy {policy} dropped",
                (Change("DROP POLICY {} ON {}", (name(policy), name(schema, table))),),
                Change("SELECT polname::text FROM pg_policy WHERE polrelid = to_regclass({}) AND polname = {}", (regclass(schema, table), value(policy))),
                frozenset({(schema, table)}),
            )  # fmt: skip
