"""Views, schemas, extensions, publications and the rarer kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dbtrust.judge.repair.attached import create_index, create_rule, create_trigger
from dbtrust.judge.repair.grants import grant_column, grant_new
from dbtrust.judge.repair.options import array_elements, change_options, server_options, with_options
from dbtrust.judge.repair.words import Definition, Side, comment, dotted, identifier, literal, note, target
from dbtrust.model.catalog import CatalogObject

_STATES = {"enabled": "ENABLE", "disabled": "DISABLE", "replica": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}
_LC = {
    "collcollate": "lc_collate",
    "collctype": "lc_ctype",
    "colllocale": "locale",
    "colliculocale": "locale",
    "collicurules": "rules",
}
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


def create_view(item: CatalogObject, side: Side, owner: str) -> Iterator[str]:
    """A view or materialized view with all that a DROP of it takes along."""
    yield _view(item, "CREATE")
    yield from _view_details(item, {}, owner)
    if "comment" in item.definition:
        yield comment(item, item.definition["comment"])
    yield from grant_new(item, owner)


def _view(item: CatalogObject, verb: str) -> str:
    told = item.definition
    text = f"{verb} {item.kind.upper()} {dotted(item.path)}"
    if item.kind == "materialized view":
        heap = told.get("access_method", "heap")
        text += f" USING {identifier(heap)}" if heap != "heap" else ""
    text += with_options(told.get("options", ()))
    text += f" TABLESPACE {identifier(told['tablespace'])}" if "tablespace" in told else ""
    body = str(told["definition"]).strip().rstrip(";")
    return f"{text} AS\n{body}{'' if told.get('populated', True) else chr(10) + 'WITH NO DATA'};"


def _view_details(item: CatalogObject, old: Mapping[str, Definition], owner: str) -> Iterator[str]:
    head = f"ALTER {item.kind.upper()} {dotted(item.path)}"
    for column in item.definition.get("columns", ()):
        before, name = old.get(column["name"], {}), identifier(column["name"])
        if column.get("default") != before.get("default"):
            default = f"SET DEFAULT {column['default']}" if "default" in column else "DROP DEFAULT"
            yield f"{head} ALTER COLUMN {name} {default};"
        if column.get("statistics_target") != before.get("statistics_target"):
            yield f"{head} ALTER COLUMN {name} SET STATISTICS {column.get('statistics_target', -1)};"
        if column.get("comment") != before.get("comment"):
            text = literal(column["comment"]) if "comment" in column else "NULL"
            yield f"COMMENT ON COLUMN {dotted(item.path)}.{name} IS {text};"
        yield from grant_column(
            item, column["name"], column.get("grants", {}), before.get("grants", {}), owner
        )


def alter_view(new: CatalogObject, old: CatalogObject, side: Side, owner: str) -> Iterator[str]:
    told, there = new.definition, old.definition
    columns = [
        [(c["name"], c["type"], c.get("collation")) for c in x.get("columns", ())] for x in (told, there)
    ]
    grows = columns[0][: len(columns[1])] == columns[1]
    if new.kind == "view" and grows:
        if told["definition"] != there["definition"] or columns[0] != columns[1]:
            yield _view(new, "CREATE OR REPLACE")
    elif told["definition"] != there["definition"] or columns[0] != columns[1]:
        yield note(
            "refused while another view or function is built on it: drop those first, and make them again"
        )
        yield f"DROP {target(old)};"
        yield from create_view(new, side, owner)
        yield from _attached(new, side)
        return
    head = f"ALTER {new.kind.upper()} {dotted(new.path)}"
    yield from change_options(head, told.get("options", ()), there.get("options", ()))
    yield from _view_details(new, {c["name"]: c for c in there.get("columns", ())}, owner)
    if told.get("populated") != there.get("populated"):
        yield f"REFRESH MATERIALIZED VIEW {dotted(new.path)}{'' if told.get('populated') else ' WITH NO DATA'};"


def _attached(item: CatalogObject, side: Side) -> Iterator[str]:
    makers = {"rule": create_rule, "trigger": create_trigger}
    for child in side.children.get(item.path, ()):
        if child.kind == "index":
            yield from create_index(child, side)
        elif child.kind in makers:
            yield from makers[child.kind](child)


def create_other(item: CatalogObject, owner: str) -> Iterator[str]:
    """Kinds that stand alone."""
    yield from _made(item, owner)
    # The extension's own comment comes with it.
    if "comment" in item.definition:
        yield comment(item, item.definition["comment"])
    yield from grant_new(item, owner)


def _made(item: CatalogObject, owner: str) -> Iterator[str]:
    told, name = item.definition, dotted(item.path)
    match item.kind:
        case "schema":
            yield f"CREATE SCHEMA {name};"
        case "extension":
            yield f"CREATE EXTENSION {name} SCHEMA {identifier(told['schema'])} VERSION {literal(told['version'])};"
        case "event trigger":
            tags = f" WHEN TAG IN ({', '.join(map(literal, told['tags']))})" if "tags" in told else ""
            yield f"CREATE EVENT TRIGGER {name} ON {told['event']}{tags} EXECUTE FUNCTION {told['function']};"
            if told["state"] != "enabled":
                yield f"ALTER EVENT TRIGGER {name} {_STATES[told['state']]};"
        case "publication":
            yield f"CREATE PUBLICATION {name}{_published(told)} WITH ({_publish(told)});"
        case "collation":
            yield f"CREATE COLLATION {name} ({_collation(told)});"
        case "foreign data wrapper":
            yield f"CREATE FOREIGN DATA WRAPPER {name}{_wrapper(told)};"
        case "foreign server":
            yield _server(item)
        case "user mapping":
            yield f"CREATE {target(item)};"
        case "text search configuration":
            yield from _configuration(item)
        case "text search dictionary":
            template, _, options = str(told["definition"]).removeprefix("template=").partition(" ")
            yield f"CREATE TEXT SEARCH DICTIONARY {name} (TEMPLATE = {template}{', ' + options if options else ''});"
        case "operator":
            yield f"CREATE OPERATOR {identifier(item.path[0])}.{item.path[1]} ({_operator(item)});"
        case "cast":
            yield _cast(item)
        case _:
            yield note(f"run the declaring file's statements for {item.kind} {item.name}")


def _publish(told: Definition) -> str:
    return (
        f"publish = {literal(told['publish'])}, publish_via_partition_root = {str(told['via_root']).lower()}"
    )


def _published(told: Definition) -> str:
    if told["all_tables"]:
        return " FOR ALL TABLES"
    tables = [f"TABLE {t}" for t in told.get("tables", ())]
    schemas = [f"TABLES IN SCHEMA {s}" for s in told.get("schemas", ())]
    return f" FOR {', '.join(tables + schemas)}" if tables or schemas else ""


def alter_publication(new: CatalogObject, old: CatalogObject) -> Iterator[str]:
    told, there, name = new.definition, old.definition, dotted(new.path)
    if told["all_tables"] != there["all_tables"]:
        yield f"DROP PUBLICATION {name};"
        yield from create_other(new, "")
        return
    if told.get("tables") != there.get("tables") or told.get("schemas") != there.get("schemas"):
        listed = _published(told).removeprefix(" FOR ")
        gone = [f"TABLE {t.partition(' ')[0]}" for t in there.get("tables", ())]
        gone += [f"TABLES IN SCHEMA {s}" for s in there.get("schemas", ())]
        yield (
            f"ALTER PUBLICATION {name} SET {listed};"
            if listed
            else f"ALTER PUBLICATION {name} DROP {', '.join(gone)};"
        )
    if any(told.get(key) != there.get(key) for key in ("publish", "via_root")):
        yield f"ALTER PUBLICATION {name} SET ({_publish(told)});"
    if told.get("comment") != there.get("comment"):
        yield comment(new, told.get("comment"))


def _parts(text: str, keys: Sequence[str]) -> dict[str, str]:
    """'key=value other=value' with values that may hold blanks."""
    found = list(re.finditer(rf"(?:^| )({'|'.join(keys)})=", text))
    ends = [m.start() for m in found[1:]] + [len(text)]
    return {m[1]: text[m.end() : end] for m, end in zip(found, ends, strict=True)}


def _collation(told: Definition) -> str:
    given = _parts(told["definition"], ["provider", "deterministic", *_LC])
    parts = [f"provider = {_PROVIDERS[given['provider']]}"]
    parts += [f"{_LC[key]} = {literal(value)}" for key, value in given.items() if key in _LC]
    return ", ".join(parts + (["deterministic = false"] if given["deterministic"] == "false" else []))


def _wrapper(told: Definition) -> str:
    given, options = _with_array(told["definition"], ["handler", "validator"])
    text = "".join(f" {key.upper()} {value}" for key, value in given.items() if value != "-")
    return text + (f" OPTIONS ({server_options(options)})" if options else "")


def _with_array(text: str, keys: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Parts that may end in ' {option=value}'."""
    given = _parts(text, keys)
    last = list(given)[-1]
    value, brace, options = given[last].partition(" {")
    given[last] = value
    return given, array_elements("{" + options) if brace else []


def _server(item: CatalogObject) -> str:
    given, options = _with_array(item.definition["definition"], ["wrapper", "type", "version"])
    text = f"CREATE SERVER {dotted(item.path)}"
    text += "".join(f" {key.upper()} {literal(given[key])}" for key in ("type", "version") if key in given)
    text += f" FOREIGN DATA WRAPPER {identifier(given['wrapper'])}"
    return f"{text}{f' OPTIONS ({server_options(options)})' if options else ''};"


def alter_options(new: CatalogObject, old: CatalogObject) -> Iterator[str] | None:
    """ALTER SERVER or FOREIGN DATA WRAPPER where the options alone differ, else None."""
    keys = ["handler", "validator"] if new.kind == "foreign data wrapper" else ["wrapper", "type", "version"]
    told, there = (_with_array(x.definition["definition"], keys) for x in (new, old))
    if told[0] != there[0]:
        return None
    return iter([f"ALTER {target(new)} OPTIONS ({server_options(told[1], there[1])});"])


def _configuration(item: CatalogObject) -> Iterator[str]:
    parser, _, rest = str(item.definition["definition"]).removeprefix("parser=").partition(" ")
    name = f"TEXT SEARCH CONFIGURATION {dotted(item.path)}"
    yield f"CREATE {name} (PARSER = {identifier(parser)});"
    mapped: dict[str, list[str]] = {}
    for word in rest.split():
        token, _, dictionary = word.split(":", 2)
        mapped.setdefault(token, []).append(dictionary)
    tokens: dict[str, list[str]] = {}
    for token, dictionaries in mapped.items():
        tokens.setdefault(", ".join(dictionaries), []).append(token)
    for dictionaries, words in tokens.items():
        yield f"ALTER {name} ADD MAPPING FOR {', '.join(words)} WITH {dictionaries};"


def _operator(item: CatalogObject) -> str:
    keys = ["result", "function", "commutator", "negator", "restrict", "join", "hashes", "merges"]
    given = _parts(item.definition["definition"], keys)
    left, _, right = item.name[item.name.rindex("(") + 1 : -1].partition(", ")
    told = [f"FUNCTION = {given['function']}"]
    told += [f"LEFTARG = {left}"] if left != "none" else []
    told += [f"RIGHTARG = {right}"]
    for key, word in (("commutator", "COMMUTATOR"), ("negator", "NEGATOR")):
        told += [f"{word} = {_operator_name(given[key])}"] if given.get(key, "0") != "0" else []
    told += [f"{key.upper()} = {given[key]}" for key in ("restrict", "join") if given.get(key, "-") != "-"]
    return ", ".join(told + [key.upper() for key in ("hashes", "merges") if given[key] == "true"])


def _operator_name(text: str) -> str:
    return f"OPERATOR({text})" if "." in text else text


def _cast(item: CatalogObject) -> str:
    given = _parts(item.definition["definition"], ["function", "context", "method"])
    how = {"i": "WITH INOUT", "b": "WITHOUT FUNCTION"}.get(
        given["method"], f"WITH FUNCTION {given.get('function')}"
    )
    return f"CREATE CAST {item.name} {how}{ {'a': ' AS ASSIGNMENT', 'i': ' AS IMPLICIT'}.get(given['context'], '') };"


def alter_other(new: CatalogObject, old: CatalogObject, owner: str) -> Iterator[str]:
    """Kinds that stand alone; what has no ALTER is dropped and made again."""
    told, there = new.definition, old.definition
    changed = {key for key in (*told, *there) if told.get(key) != there.get(key)} - {"comment", "grants"}
    match new.kind:
        case "extension":
            if "schema" in changed:
                yield f"ALTER EXTENSION {dotted(new.path)} SET SCHEMA {identifier(told['schema'])};"
            if "version" in changed:
                yield f"ALTER EXTENSION {dotted(new.path)} UPDATE TO {literal(told['version'])};"
        case "event trigger" if changed == {"state"}:
            yield f"ALTER EVENT TRIGGER {dotted(new.path)} {_STATES[told['state']]};"
        case "subscription":
            yield note("a subscription is changed with ALTER SUBSCRIPTION: its connection is not known here")
        case "foreign data wrapper" | "foreign server" if changed and (made := alter_options(new, old)):
            yield from made
        case _ if changed:
            yield f"DROP {target(old)};"
            yield from create_other(new, owner)
            return
        case _:
            pass
    if told.get("comment") != there.get("comment"):
        yield comment(new, told.get("comment"))
