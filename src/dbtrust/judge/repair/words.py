"""Names, literals and statements as PostgreSQL reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbtrust.model.catalog import Catalog, CatalogObject, path_of, qualified

#: Keywords that quote_ident quotes (pg_get_keywords() of 15 to 18, all but the unreserved ones).
_KEYWORDS = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization",
    "between", "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character",
    "check", "coalesce", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "dec", "decimal", "default", "deferrable", "desc", "distinct",
    "do", "else", "end", "except", "exists", "extract", "false", "fetch", "float", "for", "foreign",
    "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike", "in",
    "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull",
    "join", "json", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg",
    "json_query", "json_scalar", "json_serialize", "json_table", "json_value", "lateral", "leading",
    "least", "left", "like", "limit", "localtime", "localtimestamp", "merge_action", "national",
    "natural", "nchar", "none", "normalize", "not", "notnull", "null", "nullif", "numeric", "offset",
    "on", "only", "or", "order", "out", "outer", "overlaps", "overlay", "placing", "position",
    "precision", "primary", "real", "references", "returning", "right", "row", "select", "session_user",
    "setof", "similar", "smallint", "some", "substring", "symmetric", "system_user", "table",
    "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union",
    "unique", "user", "using", "values", "varchar", "variadic", "verbose", "when", "where", "window",
    "with", "xmlattributes", "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces",
    "xmlparse", "xmlpi", "xmlroot", "xmlserialize", "xmltable",
})  # fmt: skip
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
#: What CREATE, DROP, COMMENT ON and GRANT ON call a kind, where it is not the kind in capitals.
_CALLED = {"foreign server": "SERVER"}

Definition = Mapping[str, Any]


def identifier(name: str) -> str:
    """The name in quotes where it needs them."""
    return name if _PLAIN.fullmatch(name) and name not in _KEYWORDS else '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string constant; a backslash makes it E'…', so that no setting of the session changes its meaning."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def names(words: Iterable[str]) -> str:
    return ", ".join(identifier(word) for word in words)


def dotted(path: Sequence[str]) -> str:
    """A qualified name in SQL."""
    return ".".join(identifier(part) for part in path)


def note(text: str) -> str:
    """A line that is no statement."""
    return "-- " + " ".join(text.split())


@dataclass(slots=True)
class Side:
    """One catalog, by kind and name, and by the table that an object belongs to."""

    catalog: Catalog
    objects: dict[tuple[str, str], CatalogObject] = field(
        default_factory=dict[tuple[str, str], CatalogObject]
    )
    children: dict[tuple[str, ...], list[CatalogObject]] = field(
        default_factory=dict[tuple[str, ...], list[CatalogObject]]
    )

    #: The foreign keys to a table, by its name in SQL.
    references: dict[str, list[CatalogObject]] = field(default_factory=dict[str, list[CatalogObject]])

    def __post_init__(self) -> None:
        for item in self.catalog.objects:
            if item.kind == "constraint" and (to := item.definition["structure"].get("references")):
                self.references.setdefault(to, []).append(item)
            self.objects[item.kind, item.name] = item
            if parent := table_path(item):
                self.children.setdefault(parent, []).append(item)

    def relation(self, path: Sequence[str]) -> CatalogObject | None:
        """The table, view or materialized view of that path."""
        found = (self.objects.get((kind, qualified(path))) for kind in ("table", "view", "materialized view"))
        return next((item for item in found if item is not None), None)

    def is_partitioned(self, path: Sequence[str]) -> bool:
        table = self.relation(path)
        return table is not None and table.definition.get("table_kind") == "partitioned"


def table_path(item: CatalogObject) -> tuple[str, ...]:
    """(schema, table) of what belongs to a table, () of everything else."""
    match item.kind:
        case "constraint" | "trigger" | "policy" | "rule":
            return item.path[:2]
        case "index":
            return item.path[0], str(item.definition["table"])
        case "statistics":
            return tuple(path_of(str(item.definition["table"])))
        case "sequence" if "owned_by" in item.definition:
            return tuple(path_of(owner_of(item)[1])[:2])
        case _:
            return ()


def owner_of(sequence: CatalogObject) -> tuple[str, str]:
    """("identity of" or "owned by", the column in SQL); ("", "") of a sequence that no column owns."""
    text = str(sequence.definition.get("owned_by", ""))
    for how in ("identity of", "owned by"):
        if text.startswith(how + " "):
            return how, text[len(how) + 1 :]
    return "", ""


def signature(item: CatalogObject) -> str:
    """What follows the path in a name: "(integer, text)" of a routine, " using hash" of an operator class."""
    return item.name[len(qualified(item.path)) :]


def target(item: CatalogObject) -> str:
    """An object as DROP and COMMENT ON call it: "TABLE public.t", "TRIGGER tr ON public.t"."""
    path = item.path
    match item.kind:
        case "constraint" | "trigger" | "policy" | "rule":
            return f"{item.kind.upper()} {identifier(path[2])} ON {dotted(path[:2])}"
        case "function" | "procedure" | "aggregate":
            return f"{item.kind.upper()} {dotted(path)}{signature(item) if signature(item) != '()' or item.kind != 'aggregate' else '(*)'}"
        case "table" if item.definition.get("table_kind") == "foreign":
            return f"FOREIGN TABLE {dotted(path)}"
        case "type" if item.definition.get("type_kind") == "domain":
            return f"DOMAIN {dotted(path)}"
        case "operator":
            return f"OPERATOR {identifier(path[0])}.{path[1]}{signature(item).replace('none', 'NONE', 1)}"
        case "operator class":
            return f"OPERATOR CLASS {dotted(path)}{signature(item).replace(' using ', ' USING ')}"
        case "cast":
            return f"CAST {item.name}"
        case "user mapping":
            return f"USER MAPPING FOR {role(path[1], 'CURRENT_USER')} SERVER {identifier(path[0])}"
        case _:
            return f"{_CALLED.get(item.kind, item.kind.upper())} {dotted(path)}"


def role(name: str, owner: str) -> str:
    """A grantee of the catalog in SQL; `owner` is what stands for the owner there."""
    if name == "public":
        return "PUBLIC"
    return owner if name == "owner" else identifier(name)


def comment(item: CatalogObject, text: str | None) -> str:
    return f"COMMENT ON {target(item)} IS {'NULL' if text is None else literal(text)};"
