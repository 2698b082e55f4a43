"""The Alembic projects of bench/prove.py: what each is about, and its files.

A project has two revisions: a1 makes the ground, a2 is the one that is judged. Both are written as a user of Alembic
writes them: op.* where Alembic has the operation, one op.execute for each other statement, and `pass` for a down that
does nothing. a1 takes back what it made, object by object.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from tests.migrate.test_leftovers import BASE, LEFT
from tests.migrate.test_rows_after import TRAPS

from dbtrust.judge.statements import split

#: Healthy changes on the ground of the leftovers: what refuses one of them refuses the ground.
CONTROLS = {
    "a column": ("ALTER TABLE t ADD extra int", "ALTER TABLE t DROP extra"),
    "an index": ("CREATE INDEX t_extra ON t (n)", "DROP INDEX t_extra"),
    "a view": ("CREATE VIEW w AS SELECT 1 AS one", "DROP VIEW w"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """`kind`: left and trap are wrong, twin and control are right. `cause` is what a report has to name."""

    kind: str
    name: str
    before: str
    up: str
    down: str
    cause: str

    @property
    def wrong(self) -> bool:
        return self.kind in ("left", "trap")

    @property
    def label(self) -> str:
        return f"{self.kind}: {self.name}"


def cases(every: int) -> Iterator[Case]:
    """All of them, or each `every`-th of a kind."""
    for name, (up, down, thing) in list(LEFT.items())[::every]:
        yield Case("left", name, BASE, up, down.removeprefix("SELECT 1"), thing)
    for name, (before, up, wrong, right, cause) in list(TRAPS.items())[::every]:
        yield Case("trap", name, before, up, wrong, cause)
        yield Case("twin", name, before, up, right, "")
    for name, (up, down) in list(CONTROLS.items())[::every]:
        yield Case("control", name, BASE, up, down, "")


ENV = """
import sqlalchemy
from alembic import context

connectable = context.config.attributes.get("connection")
if connectable is None:
    connectable = sqlalchemy.create_engine(
        context.config.get_main_option("sqlalchemy.url"), poolclass=sqlalchemy.pool.NullPool
    )
with connectable.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before}


def upgrade():
{up}


def downgrade():
{down}
"""


def write_case(folder: Path, case: Case) -> None:
    """The files of one project, in a new folder."""
    versions = folder / "scripts" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/scripts\n")
    (folder / "scripts" / "env.py").write_text(ENV)
    texts = (("a1", None, case.before, undone(case.before)), ("a2", "a1", case.up, case.down))
    for revision, before, up, down in texts:
        text = REVISION.format(revision=revision, before=repr(before), up=body(up), down=body(down))
        (versions / f"{revision}_.py").write_text(text)


def undone(before: str) -> str:
    """The drops of what a ground creates, the last one first; what belongs to a table goes with it."""
    drops: list[str] = []
    for statement in split(before):
        if found := _CREATED.match(statement.text):
            kind, name = found.groups()
            drops.insert(0, f"DROP {kind} {name}")
        elif found := _TRIGGER.match(statement.text):
            drops.insert(0, f"DROP TRIGGER IF EXISTS {found[1]} ON {found[2]}")
    return ";\n".join(drops)


_CREATED = re.compile(
    r"CREATE (TYPE|DOMAIN|FUNCTION|TABLE|SEQUENCE|VIEW|MATERIALIZED VIEW) (\w+(?:\(.*?\))?)"
)
_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) .* ON (\w+)")


def body(script: str) -> str:
    """The statements of a script as the body of upgrade() or downgrade()."""
    lines: list[str] = []
    for statement in split(script):
        text = " ".join(statement.text.split())
        parts = _SEVERAL.match(text)
        for one in [f"{parts[1]} {parts[2]}", f"{parts[1]} {parts[3]}"] if parts else [text]:
            lines.append(f"    {_operation(one)}")
    return "\n".join(lines) or "    pass"


_SEVERAL = re.compile(r"(ALTER TABLE \w+) (DROP CONSTRAINT \w+), (ADD CONSTRAINT .*)")


def _operation(text: str) -> str:
    for pattern, make in _OPERATIONS:
        if found := re.fullmatch(pattern, text):
            return make(*found.groups())
    return f"op.execute({text!r})"


def _kind(said: str) -> str:
    """A type of SQLAlchemy."""
    name, _, rest = said.partition("(")
    known = {
        "text": "Text",
        "int": "Integer",
        "bigint": "BigInteger",
        "varchar": "String",
        "numeric": "Numeric",
    }
    return f"sa.{known[name]}({rest.rstrip(')')})"


def _type(table: str, column: str, kind: str, collation: str | None, using: str | None) -> str:
    made = f"sa.Text(collation={collation!r})" if collation else _kind(kind)
    more = f", postgresql_using={using!r}" if using else ""
    return f"op.alter_column({table!r}, {column!r}, type_={made}{more})"


def _index(unique: str | None, name: str, table: str, key: str, where: str | None) -> str:
    more = ", unique=True" if unique else ""
    more += f", postgresql_where=sa.text({where!r})" if where else ""
    return f"op.create_index({name!r}, {table!r}, [sa.text({key!r})]{more})"


def _foreign_key(table: str, name: str, column: str, other: str, action: str | None) -> str:
    more = ", ondelete='CASCADE'" if action else ""
    return f"op.create_foreign_key({name!r}, {table!r}, {other!r}, [{column!r}], ['id']{more})"


def _check(table: str, name: str, rule: str, late: str | None) -> str:
    more = ", postgresql_not_valid=True" if late else ""
    return f"op.create_check_constraint({name!r}, {table!r}, {rule!r}{more})"


def _unique(table: str, name: str | None, columns: str) -> str:
    return f"op.create_unique_constraint({name!r}, {table!r}, {columns.split(', ')!r})"


def _alter(change: str) -> Callable[[str, str], str]:
    return lambda table, column: f"op.alter_column({table!r}, {column!r}, {change})"


_ALTER = r"ALTER TABLE (\w+) ALTER (\w+) "
_OPERATIONS: tuple[tuple[str, Callable[..., str]], ...] = (
    (_ALTER + "DROP NOT NULL", _alter("nullable=True")),
    (_ALTER + "SET NOT NULL", _alter("nullable=False")),
    (_ALTER + "DROP DEFAULT", _alter("server_default=None")),
    (_ALTER + "SET DEFAULT (.+)", lambda t, c, d: f"op.alter_column({t!r}, {c!r}, server_default=sa.text({d!r}))"),
    (_ALTER + r"TYPE ((?:text|int|bigint|varchar|numeric)(?:\([0-9, ]+\))?)(?: COLLATE \"(\w+)\")?(?: USING (.+))?", _type),
    (r"ALTER TABLE (\w+) ADD (\w+) (int|text)", lambda t, c, k: f"op.add_column({t!r}, sa.Column({c!r}, {_kind(k)}))"),
    (r"ALTER TABLE (\w+) DROP (\w+)", lambda t, c: f"op.drop_column({t!r}, {c!r})"),
    (r"ALTER TABLE (\w+) DROP CONSTRAINT (\w+)", lambda t, c: f"op.drop_constraint({c!r}, {t!r})"),
    (r"ALTER TABLE (\w+) ADD CONSTRAINT (\w+) CHECK \((.+)\)( NOT VALID)?", _check),
    (r"ALTER TABLE (\w+) ADD (?:CONSTRAINT (\w+) )?UNIQUE \(([\w, ]+)\)", _unique),
    (r"ALTER TABLE (\w+) ADD CONSTRAINT (\w+) FOREIGN KEY \((\w+)\) REFERENCES (\w+)( ON DELETE CASCADE)?", _foreign_key),
    (r"CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \((.+?)\)(?: WHERE (.+))?", _index),
    (r"DROP INDEX (\w+)", lambda i: f"op.drop_index({i!r})"),
    (r"COMMENT ON TABLE (\w+) IS NULL", lambda t: f"op.drop_table_comment({t!r})"),
    (r"COMMENT ON TABLE (\w+) IS ('.*')", lambda t, c: f"op.create_table_comment({t!r}, {c})"),
    (r"COMMENT ON COLUMN (\w+)\.(\w+) IS NULL", _alter("comment=None")),
    (r"CREATE TABLE (\w+) \((\w+) (int)\)", lambda t, c, k: f"op.create_table({t!r}, sa.Column({c!r}, {_kind(k)}))"),
)  # fmt: skip
