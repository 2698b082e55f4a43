"""The claims of the recorded plans over plans that the servers of this session give: each holds or is refuted again."""

from __future__ import annotations

from typing import Any

import psycopg
from tests.fixtures import record_mongo, record_postgres
from tests.judge import test_mongo_fixtures as mongo
from tests.judge import test_postgres_fixtures as postgres

from dbtrust.engine.mongo.explain import explain
from dbtrust.judge.claims import Judged
from dbtrust.model.plan import Plan

Golden = Any


def lines(golden: Golden, name: str, words: dict[str, str]) -> list[tuple[str, str]]:
    stripped = (line.strip() for line in golden[name].splitlines())
    return [(line[2:], words[line[0]]) for line in stripped if line]


def differs(name: str, claim: str, outcome: str, found: Judged) -> list[str]:
    return [] if found.outcome == outcome else [f"{name}: {claim}: {found.outcome}, {found.message}"]


def test_postgres(pg: psycopg.Connection[Any]) -> None:
    record_postgres.fill(pg)
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    for name in record_postgres.in_order("17"):
        plan = record_postgres.planned(pg, record_postgres.CASES[name])
        for claim, outcome in lines(postgres.GOLDEN, name, postgres.WORDS):
            wrong += differs(name, claim, outcome, postgres.judged(plan, claim))
            seen.add((postgres.kind(claim), outcome))
    assert not wrong
    kinds = {"uses", "index_only", "no_seq_scan", "no_sort", "examines"}
    assert {(kind, outcome) for kind in kinds for outcome in ("holds", "refuted")} <= seen


def test_mongodb(mongo_db: Any) -> None:
    record_mongo.fill(mongo_db)
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    for name, command in record_mongo.COMMANDS.items():
        plan: Plan = explain(mongo_db, command)[0]
        for claim, outcome in lines(mongo.GOLDEN, name, mongo.WORDS):
            wrong += differs(name, claim, outcome, mongo.judged(plan, claim))
            seen.add((mongo.kind(claim), outcome))
    assert not wrong
    kinds = {"uses", "covered", "no_collection_scan", "no_sort", "examines", "id_lookup"}
    assert {(kind, outcome) for kind in kinds for outcome in ("holds", "refuted")} <= seen
