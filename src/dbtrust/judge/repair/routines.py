"""Functions, procedures and aggregates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbtrust.judge.repair.grants import grant_new
from dbtrust.judge.repair.words import Definition, comment, dotted, identifier, literal
from dbtrust.model.catalog import CatalogObject

#: Settings whose value is a list of names: each name is a constant of its own (variable.c, GUC_LIST_QUOTE).
_LISTS = frozenset({
    "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries",
    "shared_preload_libraries", "unix_socket_directories",
})  # fmt: skip
_COST = {"c": 1.0, "internal": 1.0}
_NAME = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"\s]+))\s*(?:,|$)')
#: What an aggregate's parts are called in CREATE AGGREGATE, and their values that mean "none".
_PARTS = {
    "sfunc": "-", "stype": "-", "sspace": "0", "finalfunc": "-", "combinefunc": "-", "serialfunc": "-",
    "deserialfunc": "-", "initcond": "NULL", "msfunc": "-", "minvfunc": "-", "mfinalfunc": "-", "minitcond": "NULL",
    "sortop": "0",
}  # fmt: skip
_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def create_routine(item: CatalogObject, owner: str) -> Iterator[str]:
    yield _aggregate(item) if item.kind == "aggregate" else replace_routine(item)
    if "comment" in item.definition:
        yield comment(item, item.definition["comment"])
    yield from grant_new(item, owner)


def replace_routine(item: CatalogObject) -> str:
    """CREATE OR REPLACE of a function or procedure."""
    told = item.definition
    lines = [f"CREATE OR REPLACE {item.kind.upper()} {dotted(item.path)}({told['arguments']})"]
    if "result" in told:
        lines.append(f" RETURNS {told['result']}")
    lines.append(f" LANGUAGE {identifier(told['language'])}{''.join(_traits(item.kind, told))}")
    lines += [f" SET {_setting(o)}" for o in told.get("config", ())]
    return "\n".join([*lines, _body(told)]) + ";"


def _traits(kind: str, told: Definition) -> Iterator[str]:
    if "transforms" in told:
        yield " TRANSFORM " + ", ".join(f"FOR TYPE {t}" for t in told["transforms"])
    if kind == "function":
        yield " WINDOW" if told["window"] else ""
        yield f" {told['volatility'].upper()}" if told["volatility"] != "volatile" else ""
        yield " STRICT" if told["strict"] else ""
        yield " LEAKPROOF" if told["leakproof"] else ""
        yield f" PARALLEL {told['parallel'].upper()}" if told["parallel"] != "unsafe" else ""
        yield f" COST {told['cost']:g}" if told["cost"] != _COST.get(told["language"], 100.0) else ""
        returns_set = str(told.get("result", "")).startswith(("SETOF ", "TABLE("))
        yield f" ROWS {told['rows']:g}" if returns_set and told["rows"] != 1000.0 else ""
        yield f" SUPPORT {told['support']}" if "support" in told else ""
    yield " SECURITY DEFINER" if told["security_definer"] else ""


def _setting(option: str) -> str:
    name, _, value = option.partition("=")
    if name.lower() not in _LISTS:
        return f"{_dotted_setting(name)} TO {literal(value)}"
    words = [
        m[1].replace('""', '"') if m[1] is not None else m[2]
        for m in _NAME.finditer(value)
        if m.group().strip()
    ]
    return f"{name} TO {', '.join(literal(word) for word in words) or literal('')}"


def _dotted_setting(name: str) -> str:
    return ".".join(identifier(part) if part.lower() != part else part for part in name.split("."))


def _body(told: Definition) -> str:
    body = str(told.get("body", ""))
    if told["language"] == "sql" and body.startswith(("BEGIN ATOMIC", "RETURN ")):
        return body
    if "library" in told:
        return f"AS {literal(told['library'])}, {literal(body)}"
    if told["language"] in ("c", "internal"):
        return f"AS {literal(body)}"
    return f"AS {dollars(body)}"


def dollars(text: str) -> str:
    """A dollar-quoted constant, with a tag that the text does not hold; a text that ends in $ is quoted plainly."""
    if text.endswith("$"):
        return literal(text)
    tags = ("$$", "$body$", *(f"$body{number}$" for number in range(len(text))))
    tag = next(tag for tag in tags if tag not in text)
    return f"{tag}{text}{tag}"


def _aggregate(item: CatalogObject) -> str:
    told = item.definition
    given = dict(part.partition("=")[::2] for part in told["aggregate"])
    parts = [
        f"{name} = {literal(given[name]) if name.endswith('cond') else given[name]}"
        for name, none in _PARTS.items()
        if given.get(name, none) != none
    ]
    if given.get("finalfunc", "-") != "-":
        parts.append(f"finalfunc_modify = {_MODIFY[given['finalfunc_modify']]}")
        parts += ["finalfunc_extra"] if given["finalfunc_extra"] == "true" else []
    parts += ["hypothetical"] if given["kind"] == "h" else []
    parts += [f"parallel = {told['parallel']}"] if told["parallel"] != "unsafe" else []
    return f"CREATE AGGREGATE {dotted(item.path)}({told['arguments'] or '*'}) ({', '.join(parts)});"
