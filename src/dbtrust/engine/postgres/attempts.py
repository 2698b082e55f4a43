"""Several statements in one round trip, undone at once: what a rule refuses is asked thousands of times.

Everything happens in a transaction of the caller's; each attempt leaves it as it found it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.errors import Failure, failure_of
from dbtrust.engine.postgres.sql import load
from dbtrust.model.constraints import Constraint, Table

Connection = psycopg.Connection[Any]
Statement = sql.Composable
Values = Mapping[str, str | None]
#: Deferred constraints are asked too.
IMMEDIATE = sql.SQL("SET CONSTRAINTS ALL IMMEDIATE")
DEFERRED = sql.SQL("SET CONSTRAINTS ALL DEFERRED")
_BEGIN, _UNDO = sql.SQL("SAVEPOINT dbtrust_attempt"), sql.SQL("ROLLBACK TO SAVEPOINT dbtrust_attempt")
#: The first version with pg_input_is_valid.
_SOFT_ERRORS = 160_000
#: A statement that raises for some of its rows is asked again in halves, but not more often than this.
_HALVES = 80


def attempt(connection: Connection, statements: Iterable[Statement]) -> Failure | None:
    """Runs them and undoes them; what the server refused, or None. Raises where the connection is lost."""
    found = observe(connection, statements)
    return found if isinstance(found, Failure) else None


def observe(connection: Connection, statements: Iterable[Statement]) -> Failure | list[list[tuple[Any, ...]]]:
    """The same, with the rows of each statement that gives some, in order."""
    if connection.info.transaction_status == TransactionStatus.IDLE:
        with connection.transaction(force_rollback=True):
            return observe(connection, list(statements))
    text = sql.SQL(";\n").join([_BEGIN, *statements, _UNDO])
    try:
        cursor = connection.execute(text, prepare=False)
        results: list[list[tuple[Any, ...]]] = []
        while True:
            if cursor.description is not None:
                results.append(cursor.fetchall())
            if not cursor.nextset():
                return results
    except psycopg.Error as error:
        if connection.closed:
            raise
        connection.execute(_UNDO)
        return failure_of(error)


def table_name(schema: str, name: str) -> sql.Identifier:
    """A table as evidence shows it: without the schema where that is public."""
    return sql.Identifier(name) if schema == "public" else sql.Identifier(schema, name)


def without(constraint: Constraint, table: Table | None) -> list[Statement]:
    """What takes the rule away."""
    owner, name = sql.Identifier(constraint.schema, constraint.owner), sql.Identifier(constraint.name)
    if constraint.kind == "unique index":
        return [sql.SQL("DROP INDEX {} CASCADE").format(sql.Identifier(constraint.schema, constraint.name))]
    if constraint.kind == "domain check":
        return [sql.SQL("ALTER DOMAIN {} DROP CONSTRAINT {}").format(owner, name)]
    if constraint.kind == "domain not null":
        return [sql.SQL("ALTER DOMAIN {} DROP NOT NULL").format(owner)]
    if constraint.kind in ("not null", "generated", "identity"):
        return _without_column_rule(constraint, table)
    drops: list[Statement] = [sql.SQL("ALTER TABLE {} DROP CONSTRAINT {} CASCADE").format(owner, name)]
    if constraint.kind == "primary key":
        drops += [s for column in constraint.columns for s in _nullable(owner, column, table)]
    return drops


def _without_column_rule(constraint: Constraint, table: Table | None) -> list[Statement]:
    owner, column = sql.Identifier(constraint.schema, constraint.owner), constraint.columns[0]
    if constraint.kind == "not null":
        return _nullable(owner, column, table)
    drop: LiteralString = "DROP IDENTITY" if constraint.kind == "identity" else "DROP EXPRESSION"
    return [sql.SQL("ALTER TABLE {} ALTER {} " + drop).format(owner, sql.Identifier(column))]


def _nullable(owner: sql.Identifier, column: str, table: Table | None) -> list[Statement]:
    """An identity holds its NOT NULL fast, so it goes first."""
    columns = table.relation.columns.values() if table else ()
    identity = any(c.name == column and c.identity for c in columns)
    parts: list[LiteralString] = ["ALTER TABLE {} ALTER {} DROP IDENTITY"] if identity else []
    parts.append("ALTER TABLE {} ALTER {} DROP NOT NULL")
    return [sql.SQL(part).format(owner, sql.Identifier(column)) for part in parts]


def triggers_off(schema: str, name: str) -> Statement:
    """Switches the user's own triggers of a table off; those of foreign keys stay."""
    return sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(schema, name))


def switch_trigger(schema: str, table: str, name: str, *, on: bool) -> Statement:
    word: LiteralString = "ENABLE" if on else "DISABLE"
    return sql.SQL("ALTER TABLE {} " + word + " TRIGGER {}").format(
        sql.Identifier(schema, table), sql.Identifier(name)
    )


def where(values: Values) -> sql.Composed:
    """The condition that finds the rows with these values."""
    parts = [
        sql.SQL("{} IS NULL").format(sql.Identifier(name))
        if value is None
        else sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
        for name, value in values.items()
    ]
    return sql.SQL(" AND ").join(parts) if parts else sql.Composed([sql.SQL("true")])


def delete(schema: str, name: str, row: Values) -> sql.Composed:
    return sql.SQL("DELETE FROM {} WHERE {}").format(table_name(schema, name), where(row))


def update(schema: str, name: str, changes: Values, row: Values) -> sql.Composed:
    setting = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value))
        for column, value in changes.items()
    )
    return sql.SQL("UPDATE {} SET {} WHERE {}").format(table_name(schema, name), setting, where(row))


def count(schema: str, name: str, row: Values) -> sql.Composed:
    return sql.SQL("SELECT count(*) FROM {} WHERE {}").format(table_name(schema, name), where(row))


def cast(text: str | None, base: str, domain: str) -> sql.Composed:
    """A value of a domain; both types as format_type writes them."""
    return sql.SQL("SELECT CAST(CAST({} AS " + _type(base) + ") AS " + _type(domain) + ")").format(
        sql.Literal(text)
    )


def expression(text: str) -> sql.SQL:
    """The server's own text of an expression."""
    return sql.SQL(_type(text))


def _type(name: str) -> LiteralString:
    # The server's own format_type, which quotes what needs it.
    return name  # pyright: ignore[reportReturnType]


def readable(connection: Connection, type_name: str, texts: Sequence[str]) -> list[str]:
    """Those texts that the server reads as values of a type, in order. Raises where the connection is lost."""
    if connection.info.server_version >= _SOFT_ERRORS:
        found = _soft(connection, type_name, texts)
        if found is not None:
            return found
    return _halved(connection, type_name, list(texts))


def _soft(connection: Connection, type_name: str, texts: Sequence[str]) -> list[str] | None:
    query = sql.SQL(
        "SELECT v FROM unnest({}::text[]) WITH ORDINALITY u(v, n) WHERE pg_input_is_valid(v, {}) ORDER BY n"
    ).format(sql.Literal(list(texts)), sql.Literal(type_name))
    found = observe(connection, [query])
    return None if isinstance(found, Failure) else [row[0] for row in found[0]]


def _halved(connection: Connection, type_name: str, texts: list[str]) -> list[str]:
    if not texts:
        return []
    query = sql.SQL("SELECT v::{} FROM unnest({}::text[]) u(v)").format(
        expression(type_name), sql.Literal(texts)
    )
    if attempt(connection, [query]) is None:
        return texts
    if len(texts) == 1:
        return []
    middle = len(texts) // 2
    return _halved(connection, type_name, texts[:middle]) + _halved(connection, type_name, texts[middle:])


#: The answer for a row for which the expression raises an error.
RAISES = "raises"
Answer = bool | str | None


def evaluate(
    connection: Connection, table: Table, expressions: Sequence[str], rows: Sequence[Values]
) -> list[list[Answer]]:
    """For each row what each expression gives: true, false, NULL, or that it raises. No row is inserted.

    The expressions are pg_get_expr's own texts over the table's columns; `rows` hold texts of its base types.
    """
    if not expressions or not rows:
        return [[] for _ in rows]
    return _evaluated(connection, table, expressions, rows, [_HALVES])


def _evaluated(
    connection: Connection, table: Table, expressions: Sequence[str], rows: Sequence[Values], left: list[int]
) -> list[list[Answer]]:
    """`left` holds how many more questions may be asked; a row that nothing is known of counts as one that raises."""
    if left[0] <= 0:
        return [[RAISES] * len(expressions) for _ in rows]
    left[0] -= 1
    found = observe(connection, [_asked(table, expressions, rows)])
    if not isinstance(found, Failure):
        return [list(row) for row in found[0]]
    if len(rows) > 1:
        middle = len(rows) // 2
        return [
            answer
            for half in (rows[:middle], rows[middle:])
            for answer in _evaluated(connection, table, expressions, half, left)
        ]
    if len(expressions) > 1:
        return [[_evaluated(connection, table, [text], rows, left)[0][0] for text in expressions]]
    return [[RAISES]]


def _asked(table: Table, expressions: Sequence[str], rows: Sequence[Values]) -> sql.Composed:
    relation = table.relation
    columns = [c for c in relation.columns.values() if not c.generated]
    values, arrays, places = list[sql.Composed](), list[sql.Composed](), list[sql.Identifier]()
    for number, column in enumerate(columns):
        texts = [row.get(column.name) for row in rows]
        kind: LiteralString = _type(column.plain or column.type)
        if len(set(texts)) == 1:
            source: sql.Composable = sql.Literal(texts[0])
        else:
            source = sql.Identifier(f"v{number}")
            places.append(source)
            arrays.append(sql.SQL("{}::text[]").format(sql.Literal(texts)))
        values.append(sql.SQL("({}::text)::" + kind + " AS {}").format(source, sql.Identifier(column.name)))
    if not arrays:
        arrays, places = [sql.SQL("{}::text[]").format(sql.Literal([""] * len(rows)))], [sql.Identifier("v")]
    types = {c.name: c.plain or c.type for c in relation.columns.values()}
    made = [
        sql.SQL(", (" + _type(text) + ")::" + _type(types[name]) + " AS {}").format(sql.Identifier(name))
        for name, text in table.generated.items()
        if any(name in expression for expression in expressions)
    ]
    own = sql.Identifier(relation.name)
    inner = sql.SQL("SELECT dbtrust_n, {} FROM unnest({}) WITH ORDINALITY u({}, dbtrust_n)").format(
        sql.SQL(", ").join(values), sql.SQL(", ").join(arrays), sql.SQL(", ").join(places)
    )
    asked = sql.SQL(", ").join([sql.SQL("(" + _type(text) + ")::boolean") for text in expressions])
    return sql.SQL("SELECT {} FROM (SELECT {}.*{} FROM ({}) AS {}) AS {} ORDER BY dbtrust_n").format(
        asked, own, sql.Composed(made), inner, own, own
    )


def set_defaults(connection: Connection, relation: int, name: str) -> list[tuple[str, str | None, bool]]:
    """The columns of a foreign key of the table `relation`: name, value of the default, does ON DELETE set it.

    An empty list where a default cannot be computed.
    """
    asked = connection.execute(load("set_defaults"), {"relation": relation, "name": name}).fetchall()
    texts = sql.SQL(", ").join(
        [sql.SQL("({})::text").format(expression(text or "NULL")) for _, text, _ in asked]
    )
    found = observe(connection, [sql.SQL("SELECT {}").format(texts)])
    if isinstance(found, Failure):
        return []
    return [(column, value, sets) for (column, _, sets), value in zip(asked, found[0][0], strict=True)]


def all_rows(schema: str, name: str) -> sql.Composed:
    """Every row of a table as a JSON object, also where a column has the name of the alias."""
    return sql.SQL("SELECT to_jsonb(t.*) FROM {} t").format(table_name(schema, name))


def written() -> sql.SQL:
    """How many rows the transaction has inserted, updated and deleted so far, by table."""
    return sql.SQL(_type(load("written_rows").decode().strip()))


def truncate(schema: str, name: str) -> sql.Composed:
    return sql.SQL("TRUNCATE {} CASCADE").format(table_name(schema, name))


def force_row_security(schema: str, name: str, *, on: bool) -> sql.Composed:
    word: LiteralString = "FORCE" if on else "NO FORCE"
    return sql.SQL("ALTER TABLE {} " + word + " ROW LEVEL SECURITY").format(sql.Identifier(schema, name))


def as_role(name: str) -> sql.Composed:
    return sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(name))


def bypasses_row_security(connection: Connection) -> bool:
    """Is the connection's role one that no policy binds?"""
    row = connection.execute(load("bypasses_row_security")).fetchone()
    return row is None or bool(row[0])


def not_kept(connection: Connection, new: str, old: str, texts: Sequence[str]) -> list[str]:
    """Those values of the type `new` that the type `old` does not read, or reads as something else; both by SQL name.

    An empty list where the old type is gone. Raises where the connection is lost.
    """
    found: list[str] = []
    for text in readable(connection, new, texts):
        cast_ = sql.SQL("(({})::text)").format(sql.SQL("{}::{}").format(sql.Literal(text), expression(new)))
        told = observe(connection, [sql.SQL("SELECT {}").format(cast_)])
        if isinstance(told, Failure):
            continue
        value = told[0][0][0]
        back = observe(
            connection, [sql.SQL("SELECT ({}::{})::text").format(sql.Literal(value), expression(old))]
        )
        if isinstance(back, Failure):
            if back.sqlstate == "42704":
                return []
            found.append(text)
        elif not _returns(connection, new, old, value, back[0][0][0]) or not readable(
            connection, old, [value]
        ):
            found.append(text)
    return found


def _returns(connection: Connection, new: str, old: str, value: str | None, kept: str | None) -> bool:
    """Is the value the same again once the old type has held it? 22 and 22.00 are; `kept` is how the old type writes it."""
    if kept == value:
        return True
    types = (sql.Literal(value), expression(old), expression(new))
    again = observe(connection, [sql.SQL("SELECT ({}::{}::{})::text").format(*types)])
    return not isinstance(again, Failure) and again[0][0][0] == value and _numbers(value, kept)


def _numbers(*texts: str | None) -> bool:
    return all(text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) for text in texts)
