"""Twenty-five schemas of well-known systems, written before the search that breaks them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.schema.conftest import SHAPES, apply, verdicts

from dbtrust.engine.postgres.promises import read_promises
from dbtrust.model.constraints import Constraint
from dbtrust.model.report import Verdict

NAMES = sorted(path.stem for path in SHAPES.glob("*.sql"))
#: What is told of these schemas beside "holds": each is a fault of theirs, or needs a role that policies bind.
KNOWN = {
    "auth": {
        "constraint:auth.sso_providers.metadata_url not empty": "refuted",
        "constraint:auth.sso_providers.resource_id not empty": "refuted",
    },
    # SET NULL leaves neither an author nor a guest, which comments_check refuses.
    "blog": {"constraint:comments.comments_author_id_fkey": "unproved"},
    "tenants": {"constraint:app.tasks.row_security": "unproved"},
}
SEEN: Counter[str] = Counter()


def broken_alone(found: list[Verdict]) -> None:
    for verdict in found:
        if verdict.verdict == "holds" and verdict.check == "schema.constraint":
            alone = verdict.evidence.get("without it") == "accepted"
            assert alone or verdict.evidence.get("accepted without"), verdict
            assert verdict.evidence["accepted"] and verdict.evidence["refused"], verdict


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_is_proven(name: str, pg: psycopg.Connection[Any]) -> None:
    apply(pg, (SHAPES / f"{name}.sql").read_text(encoding="utf-8"))
    found = verdicts(pg)
    other = {v.subject: v.verdict for v in found if v.verdict != "holds"}
    assert other == KNOWN.get(name, {}), {v.subject: v.message for v in found if v.verdict != "holds"}
    broken_alone(found)
    assert sum(v.check == "schema.constraint" for v in found) >= 20


#: Schemas in which every rule is dropped in turn, and each of their checks is made weaker.
SAMPLE = ("booking", "tree", "clinic")


def drop(rule: Constraint) -> list[sql.Composed]:
    owner, name = sql.Identifier(rule.schema, rule.owner), sql.Identifier(rule.name)
    column = sql.Identifier(rule.columns[0]) if rule.columns else sql.Identifier("")
    templates: dict[str, str] = {
        "not null": "ALTER TABLE {0} ALTER {2} DROP NOT NULL", "unique index": "DROP INDEX {1}",
        "generated": "ALTER TABLE {0} ALTER {2} DROP EXPRESSION", "identity": "ALTER TABLE {0} ALTER {2} DROP IDENTITY",
        "domain check": "ALTER DOMAIN {0} DROP CONSTRAINT {1}", "domain not null": "ALTER DOMAIN {0} DROP NOT NULL",
    }  # fmt: skip
    template = templates.get(rule.kind, "ALTER TABLE {0} DROP CONSTRAINT {1} CASCADE")
    return [sql.SQL(template).format(owner, name, column)]  # pyright: ignore


@pytest.mark.parametrize("name", SAMPLE)
def test_a_dropped_rule_never_holds(name: str, pg: psycopg.Connection[Any]) -> None:
    """The rules are dropped all at once, so that each is missed for itself."""
    apply(pg, (SHAPES / f"{name}.sql").read_text(encoding="utf-8"))
    declared = read_promises(pg)
    gone = [rule for rule in declared.constraints if rule.kind not in ("primary key",)]
    for rule in sorted(gone, key=lambda rule: rule.kind == "unique"):
        for statement in drop(rule):
            pg.execute(statement)
    found = {v.subject: v for v in verdicts(pg, declared=declared)}
    for rule in gone:
        assert found[rule.subject].verdict == "refuted", found[rule.subject]
        assert "does not have it" in found[rule.subject].message


@pytest.mark.parametrize("name", SAMPLE)
def test_a_weaker_check_never_holds(name: str, pg: psycopg.Connection[Any]) -> None:
    apply(pg, (SHAPES / f"{name}.sql").read_text(encoding="utf-8"))
    declared = read_promises(pg)
    checks = [rule for rule in declared.constraints if rule.kind == "check"]
    for rule in checks:
        table, label = sql.Identifier(rule.schema, rule.owner), sql.Identifier(rule.name)
        weaker = sql.SQL(f"({rule.text}) OR {rule.columns[0]} IS NOT NULL")  # pyright: ignore
        pg.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, label))
        pg.execute(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({})").format(table, label, weaker))
    found = {v.subject: v for v in verdicts(pg, declared=declared)}
    assert len(checks) >= 4
    for rule in checks:
        assert found[rule.subject].verdict == "refuted", found[rule.subject]
    # Judged by themselves, the weak ones are seen to refuse nothing wherever that can be proven.
    weak = {v.subject: v for v in verdicts(pg)}
    assert all(weak[rule.subject].verdict != "holds" for rule in checks if len(rule.columns) == 1)


def test_the_same_rows_are_found_twice(pg: psycopg.Connection[Any], pg_database: str) -> None:
    apply(pg, (SHAPES / "settings.sql").read_text(encoding="utf-8"))
    first = [(v.subject, v.verdict, v.evidence) for v in verdicts(pg)]
    pg.execute("DROP SCHEMA public CASCADE")
    pg.execute("CREATE SCHEMA public")
    apply(pg, (SHAPES / "settings.sql").read_text(encoding="utf-8"))
    assert [(v.subject, v.verdict, v.evidence) for v in verdicts(pg)] == first
