"""Values worth trying in a row: by type, from the constants that the SQL compares with, from patterns.

Every value is the text that the server reads as a literal of the column's type; None is NULL.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dbtrust.judge.statements import SqlSyntaxError, messages, parse_tree
from dbtrust.model.facts import Column

#: Base type -> literals, the plainest first, the odd ones (infinity, empty) last.
_BY_TYPE: dict[str, tuple[str, ...]] = {
    "boolean": ("t", "f"),
    "text": ("a", "b", "abc", "xyz", "a@b.cc", "A1", "2024-01-01", "https://a.bc", ""),
    "uuid": ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"),
    "date": ("2024-01-01", "2024-06-15", "2000-02-29", "infinity"),
    "time without time zone": ("10:00", "00:00"),
    "time with time zone": ("10:00+00", "00:00+00"),
    "interval": ("1 day", "1 hour", "0"),
    "jsonb": ("{}", "[]", '{"a": 1}', "1", "null"),
    "json": ("{}", "[]", '{"a": 1}', "1", "null"),
    "bytea": ("\\x00", "\\x01ff", ""),
    "inet": ("10.0.0.1", "10.0.0.2"),
    "cidr": ("10.0.0.0/8", "192.168.0.0/16"),
    "macaddr": ("08:00:2b:01:02:03",),
    "xml": ("<a/>",),
    "int4range": ("[1,5)", "[7,9)", "[1,)", "empty"),
    "int8range": ("[1,5)", "[7,9)", "[1,)", "empty"),
    "numrange": ("[1,5)", "[7,9)", "[1,)", "empty"),
    "daterange": ("[2024-01-01,2024-02-01)", "[2025-01-01,2025-02-01)", "[2024-01-01,)", "empty"),
    "tsrange": ("[2024-01-01,2024-02-01)", "[2025-01-01,2025-02-01)", "empty"),
    "tstzrange": ("[2024-01-01+00,2024-02-01+00)", "[2025-01-01+00,2025-02-01+00)", "empty"),
    "point": ("(0,0)", "(1,1)"),
    "tsvector": ("a", "b"),
    "tsquery": ("a", "b"),
    "bit": ("1", "0"),
    "bit varying": ("1", "0"),
    "oid": ("1", "2"),
}
_NUMBERS = ("1", "2", "3", "0", "100", "-1", "7", "5")
_MOMENTS = ("2024-01-01 00:00:00+00", "2024-06-15 12:00:00+00", "2000-02-29 00:00:00+00", "infinity")
#: Texts of composite values by the number of their fields.
COMPOSITES = ("()", "(,)", "(,,)", "(,,,)", "(1,a)", "(1,1)", "(a,1)", "(a,b)")
#: Categories of pg_type: numeric, string, date and time, array, composite, boolean.
_BY_CATEGORY: dict[str, tuple[str, ...]] = {
    "N": _NUMBERS,
    "S": _BY_TYPE["text"],
    "D": _MOMENTS,
    "A": ("{}", "{NULL}", "{1}", "{a}", "{1,2}"),
    "C": COMPOSITES,
    "B": ("t", "f"),
}


def literals(column: Column, extra: Iterable[str] = ()) -> list[str]:
    """Literals for a column, those from the project's own SQL first; no NULL among them."""
    if column.labels:
        own: tuple[str, ...] = column.labels
    else:
        own = _BY_TYPE.get(column.base) or _BY_CATEGORY.get(column.category) or ("1", "a", "{}", "")
    found = [value for value in extra if column.category != "N" or _is_number(value)]
    cut = column.length if column.category == "S" else None
    return list(dict.fromkeys(value[:cut] for value in (*found, *own)))


def of_type(name: str) -> list[str]:
    """Literals of a type by its name."""
    if name.endswith("[]"):
        inner = of_type(name[:-2])[0]
        return ["{" + json.dumps(inner) + "}", "{}"]
    base = name.split("(")[0]
    if base in _BY_TYPE:
        return list(_BY_TYPE[base])
    if base.startswith("timestamp"):
        return list(_MOMENTS)
    numeric = base in ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money")
    return list(_NUMBERS if numeric else _BY_TYPE["text"])


def fresh(column: Column, number: int) -> str | None:
    """A value that no other row has: the `number`th of its kind; None where the type is not a counting one."""
    if column.category == "N":
        return str(1000 + number)
    if column.category == "S" and not column.labels:
        text = f"a{number}@b{number}.cc"
        return text if column.length is None else text[: column.length]
    if column.base == "uuid":
        return f"00000000-0000-0000-0000-{number:012d}"
    if column.category == "D" and column.base != "time without time zone":
        return f"{2000 + number % 900:04d}-03-{1 + number % 28:02d}"
    return None


def harvest(sql: str) -> dict[str, list[str]]:
    """Column name -> the constants that expressions compare it with, their neighbours, and texts that match patterns.

    `doc ->> 'status' = 'active'` gives the document {"status": "active"}. Empty for text that is no SQL.
    """
    try:
        tree = parse_tree(sql)
    except SqlSyntaxError:
        return {}
    found: defaultdict[str, list[str]] = defaultdict(list)
    documents: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for expression in messages(tree, "A_Expr"):
        columns = [c for c in (_column(m) for m in messages(expression, "ColumnRef")) if c]
        constants = [c for c in (_constant(m) for m in messages(expression, "A_Const")) if c is not None]
        for column in columns:
            for constant in constants:
                found[column] += around(constant)
            _document(expression, constants, documents[column])
    for column, document in documents.items():
        if document:
            found[column].insert(0, json.dumps(document))
    return {column: list(dict.fromkeys(values)) for column, values in found.items()}


def _document(expression: Any, constants: list[str], document: dict[str, Any]) -> None:
    operators = [name.string.sval for e in messages(expression, "A_Expr") for name in e.name]
    if constants and any(op in ("->", "->>") for op in operators):
        document.setdefault(constants[0], constants[-1] if len(constants) > 1 else "a")


def _column(reference: Any) -> str | None:
    last = reference.fields[-1] if reference.fields else None
    return str(last.string.sval) if last is not None and last.HasField("string") else None


def _constant(constant: Any) -> str | None:
    kind = constant.WhichOneof("val")
    if kind == "sval":
        return str(constant.sval.sval)
    if kind == "ival":
        return str(constant.ival.ival)
    return str(constant.fval.fval) if kind == "fval" else None


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", text))


def around(constant: str) -> list[str]:
    """A constant and what lies just beside it; a pattern gives a text that it matches."""
    if re.fullmatch(r"-?\d{1,15}", constant):
        return [constant, str(int(constant) + 1), str(int(constant) - 1)]
    if "%" in constant and not re.search(r"[\[\]^$\\]", constant):
        return [constant.replace("%", ""), constant.replace("%", "a"), constant]
    matching = [text for variant in range(3) if (text := sample(constant, variant)) is not None]
    return list(dict.fromkeys([*matching, constant]))


def sample(pattern: str, variant: int = 0) -> str | None:
    """A short plain text that a regular expression matches, another for each variant; None where it cannot be made."""
    if not re.search(r"[\[\](){}\\^$*+?|]", pattern):
        return None
    python = pattern
    for name, members in _POSIX.items():
        python = python.replace(f"[:{name}:]", members)
    python = re.sub(r"\\[mMyAZ]", "", python)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser().parse(python)
        text = "".join(_piece(op, value, variant) for op, value in parsed)
        return text if re.search(python, text) else None
    except (re.error, ValueError, RecursionError, OverflowError):
        return None


_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": " ",
}


def _parser() -> Any:
    """The standard library's own reader of regular expressions; its tree is what re compiles."""
    import importlib

    return importlib.import_module("re._parser")


def _piece(operation: Any, value: Any, variant: int) -> str:
    name = str(operation)
    if name == "LITERAL":
        return chr(value)
    if name == "IN":
        return _member(value, variant)
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        low, _, inner = value
        return "".join(_piece(op, v, variant) for op, v in inner) * int(low)
    if name == "SUBPATTERN":
        return "".join(_piece(op, v, variant) for op, v in value[-1])
    if name == "BRANCH":
        branches = value[1]
        return "".join(_piece(op, v, variant) for op, v in branches[variant % len(branches)])
    if name in ("ANY", "NOT_LITERAL"):
        return "a" if name == "ANY" or chr(value) != "a" else "b"
    if name == "AT":
        return ""
    raise ValueError(name)


def _member(members: Iterable[Any], variant: int) -> str:
    listed = list(members)
    first = listed[0]
    name = str(first[0])
    if name == "NEGATE":
        return "a" if re.fullmatch("[^" + "".join(_plain(m) for m in listed[1:]) + "]", "a") else "_"
    if name == "CATEGORY":
        texts = {"CATEGORY_DIGIT": "123", "CATEGORY_SPACE": "   "}.get(str(first[1]), "abc")
        return texts[variant % 3]
    if name == "RANGE":
        low, high = first[1]
        return chr(min(low + variant, high))
    return chr(first[1]) if len(listed) == 1 else chr(_first_of(listed[variant % len(listed)]))


def _first_of(member: Any) -> int:
    """The code of a member's first character; a letter where it is a category."""
    name, value = str(member[0]), member[1]
    if name == "RANGE":
        return int(value[0])
    return int(value) if name == "LITERAL" else ord("a")


def _plain(member: Any) -> str:
    name, value = str(member[0]), member[1]
    if name == "LITERAL":
        return re.escape(chr(value)) if chr(value) in "]\\^-" else chr(value)
    if name == "RANGE":
        return f"{chr(value[0])}-{chr(value[1])}"
    return ""


def pools(sql: Iterable[str]) -> Mapping[str, list[str]]:
    """The harvest of several texts together."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for text in sql:
        for column, values in harvest(text).items():
            found[column] += values
    return {column: list(dict.fromkeys(values)) for column, values in found.items()}


def probes(sql: str) -> dict[int, str]:
    """$n -> a query for the value that `expression over columns = $n` wants, over the statement's own FROM clause.

    Only for a plain SELECT whose condition says so of every row; empty for any other text.
    """
    import postgast

    try:
        tree = parse_tree(sql)
    except SqlSyntaxError:
        return {}
    select = tree.stmts[0].stmt.select_stmt if len(tree.stmts) == 1 else None
    if select is None or not select.from_clause or select.HasField("with_clause"):
        return {}
    if any(next(messages(source, "ParamRef"), None) for source in select.from_clause):
        return {}
    found: dict[int, str] = {}
    for number, expression in _wanted(select.where_clause):
        probe = type(tree)()
        probe.CopyFrom(tree)
        asked = probe.stmts[0].stmt.select_stmt
        for name in (
            "target_list",
            "where_clause",
            "sort_clause",
            "group_clause",
            "having_clause",
            "limit_count",
            "limit_offset",
            "distinct_clause",
        ):
            asked.ClearField(name)
        asked.target_list.add().res_target.val.CopyFrom(expression)
        found[number] = str(postgast.deparse(probe))
    return found


def _wanted(condition: Any) -> Iterator[tuple[int, Any]]:
    """(n, expression) of the parts of an AND that compare an expression over columns with $n."""
    kind = condition.WhichOneof("node")
    if kind == "bool_expr" and condition.bool_expr.boolop == _AND:
        for part in condition.bool_expr.args:
            yield from _wanted(part)
    if kind != "a_expr" or condition.a_expr.kind != _PLAIN_OPERATOR:
        return
    sides = (condition.a_expr.lexpr, condition.a_expr.rexpr)
    if condition.a_expr.name[-1].string.sval != "=":
        return
    for here, there in (sides, sides[::-1]):
        while there.WhichOneof("node") == "type_cast":
            there = there.type_cast.arg
        columns = next(messages(here, "ColumnRef"), None)
        plain = columns is None or here.WhichOneof("node") == "column_ref"
        given = next(messages(here, "ParamRef"), None) is not None
        if there.WhichOneof("node") == "param_ref" and not plain and not given:
            yield there.param_ref.number, here


#: BoolExprType.AND_EXPR and A_Expr_Kind.AEXPR_OP of libpg_query's protobuf.
_AND, _PLAIN_OPERATOR = 1, 1
