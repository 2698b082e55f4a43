"""Each thing that a project says of MongoDB, broken on the server: refuted, on the right subject."""

from __future__ import annotations

import pytest
from tests.checks.conftest import Checked, Edit, bad

UP = "migrations/02_readings.py"
LIB = "lib/events.py"
RULES = "lib/rules.py"
INDEX = '    create_index("readings", [("sensor", 1), ("at", -1)], name="by-sensor"),\n'


def test_the_library_holds(checked: Checked) -> None:
    report = checked(only=["mongo"])
    assert not bad(report)
    assert report.exit_code == 0
    assert report.summary()["unproved"] == 0
    assert report.summary()["holds"] >= 18
    assert report.servers.get("postgres") is None


FUNCTIONS = """
def up(db):
    db.create_collection("readings", validator={"$jsonSchema": {"bsonType": "object", "required": ["sensor", "at", "value"], "properties": {
        "_id": {"bsonType": ["int", "long", "null"]}, "sensor": {"bsonType": "string", "minLength": 1}, "at": {"bsonType": "date"},
        "value": {"bsonType": "number"}}}})
    db.readings.create_index([("sensor", 1), ("at", -1)], name="by-sensor")
"""

CLAIMS: dict[str, tuple[list[Edit], str, str, str]] = {
    "dropped index": ([(UP, INDEX, "")], "claim.uses", "query:Readings.latest", "there is no index by-sensor"),
    "swapped definition": (
        [(UP, '[("sensor", 1), ("at", -1)]', '[("at", -1), ("sensor", 1)]')],
        "claim.examines", "query:Readings.latest", "claimed at most 1",
    ),
    "a field too few": (
        [(UP, '[("sensor", 1), ("at", -1)]', '[("sensor", 1)]')],
        "claim.uses", "query:Readings.times", "documents examined",
    ),
    "a sort in memory": (
        [(LIB, '.sort("at", -1).limit(5)', '.sort("value", -1).limit(5)')],
        "claim.no_sort", "query:Readings.latest", "found SORT",
    ),
    "a field that is not indexed": (
        [(LIB, '{"sensor": sensor}, {"_id": 0, "at": 1}', '{"sensor": sensor}, {"_id": 0, "value": 1, "at": 1}')],
        "claim.uses", "query:Readings.times", "documents examined",
    ),
    "no id": ([(LIB, '{"_id": key}', '{"value": key}')], "claim.id_lookup", "query:Readings.one", "no lookup by _id"),
    "a delete that scans": (
        [(LIB, 'delete_many({"sensor": sensor})', 'delete_many({"value": 3})')],
        "claim.no_collection_scan", "query:Readings.forget", "found COLLSCAN",
    ),
    "one command of several": (
        [(LIB, "        return self.db.readings.find_one", "        self.db.readings.count_documents({'value': 1})\n        return self.db.readings.find_one")],
        "claim.id_lookup", "query:Readings.one", "no lookup by _id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CLAIMS)
def test_a_broken_claim_is_refuted(checked: Checked, name: str) -> None:
    edits, check, subject, said = CLAIMS[name]
    report = checked(*edits, only=["mongo", "claim", "query"])
    found = bad(report)
    assert said in found.get((check, subject), str(found))
    verdict = next(
        v for v in report.verdicts if (v.check, v.subject, v.verdict) == (check, subject, "refuted")
    )
    assert verdict.location.file == LIB
    assert verdict.location.line and verdict.location.column
    assert verdict.evidence["data"]["rows"] == {"readings": 4000}


PROOFS: dict[str, tuple[list[Edit], str, str]] = {
    "a weaker validator": ([(UP, '"value": {"bsonType": "number"}', '"value": {}')], "proof:value_is_a_number", "accepted"),
    "a validator that only warns": (
        [(UP, "steps = [", FUNCTIONS.replace("create_collection(", "create_collection(validationAction='warn', name=").replace("name=\"readings\"", "name='readings'") + "\nunused = [")],
        "proof:value_is_a_number", "accepted",
    ),
    "another field": ([(RULES, '"value": "high"', '"value": 1, "at": 3'), (RULES, '"at": datetime.now(UTC), "value": 1, "at": 3', '"value": 1, "at": 3')], "proof:value_is_a_number", "refused on at"),
    "another code": ([(RULES, 'refused 11000', 'refused 121')], "proof:ids_are_unique", "claimed 121"),
    "other data": ([("fill/readings.py", "range(n)", "range(n - 1)")], "proof:all_data_are_there", "found False"),
    "an exception of Python": ([(RULES, "    return db.readings.count_documents({}) == 4000", "    return db.readings.count_documents({}) / 0")], "proof:all_data_are_there", "ZeroDivisionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROOFS)
def test_a_broken_rule_is_refuted(checked: Checked, name: str) -> None:
    edits, subject, said = PROOFS[name]
    found = bad(checked(*edits, only=["mongo", "proof"]))
    assert {subject} == {s for _, s in found}
    assert any(said in message for message in found.values()), found


def test_a_proof_leaves_nothing_for_the_next(checked: Checked) -> None:
    """`ids_are_unique` writes a document before it is refused; all_data_are_there, behind it, counts 4,000."""
    report = checked(only=["mongo", "proof"])
    assert [v.subject for v in report.verdicts if v.verdict == "holds"].count("proof:all_data_are_there") == 1


def test_functions_are_proven_like_steps(checked: Checked) -> None:
    down = "\ndef down(db):\n    db.readings.drop()\n"
    report = checked((UP, "steps = [", FUNCTIONS + down + "\nunused = ["), only=["mongo", "migrate"])
    assert {v.check: v.verdict for v in report.verdicts} == {
        "migrate.up": "holds", "migrate.down": "holds", "migrate.up_again": "holds", "migrate.drifted": "holds",
        "migrate.populated": "not_applicable", "migrate.written": "holds",
    }  # fmt: skip


def test_a_forgotten_line_of_a_rollback_is_refuted(checked: Checked) -> None:
    down = "\ndef down(db):\n    db.readings.drop_index('by-sensor')\n"
    found = bad(checked((UP, "steps = [", FUNCTIONS + down + "\nunused = ["), only=["mongo", "migrate"]))
    assert "collection readings extra" in found["migrate.down", "migration:02"]


def test_no_way_back_is_unproved(checked: Checked) -> None:
    report = checked((UP, "steps = [", FUNCTIONS + "\nunused = ["), only=["mongo", "migrate"])
    down = next(v for v in report.verdicts if v.check == "migrate.down")
    assert (down.verdict, down.reason) == ("unproved", "no_down")


def test_an_up_that_takes_a_stranger_for_its_own_is_refuted(checked: Checked) -> None:
    careless = FUNCTIONS.replace(
        "    db.create_collection(",
        "    if 'readings' not in db.list_collection_names():\n        db.create_collection(",
    )
    down = "\ndef down(db):\n    db.readings.drop()\n"
    found = bad(checked((UP, "steps = [", careless + down + "\nunused = ["), only=["mongo", "migrate"]))
    assert "over another collection readings" in found["migrate.drifted", "migration:02"]
    assert "drops the object that it did not create" in found["migrate.drifted", "migration:02"]


def test_index_ddl_in_a_transaction_is_refuted(checked: Checked) -> None:
    """The seed's migration: createIndex inside withTransaction fails on a collection that exists (code 263)."""
    session = """
    with db.client.start_session() as session, session.start_transaction():
        db.readings.create_index([("value", 1)], name="in-transaction", session=session)
"""
    report = checked((UP, "steps = [", FUNCTIONS + session + "\nunused = ["), only=["mongo", "migrate"])
    up = next(v for v in report.verdicts if v.check == "migrate.up")
    assert up.verdict == "refuted"
    assert "263" in up.message
    assert up.location.file == UP and up.location.line and up.location.line > 5


def test_an_edited_declaration_is_refuted_by_the_comparison_only(checked: Checked) -> None:
    found = bad(checked((LIB, "    value: float\n", "    value: float\n    unit: str\n"), only=["mongo"]))
    assert set(found) == {("schema.matches_migrations", "collection:readings")}
    assert "unit" in found["schema.matches_migrations", "collection:readings"]


def test_a_prefix_index_is_redundant(checked: Checked) -> None:
    twice = INDEX + '    create_index("readings", [("sensor", 1)], name="again"),\n'
    report = checked((UP, INDEX, twice), only=["mongo", "index.redundant"])
    assert [(f.rule, f.severity, f.subject) for f in report.findings] == [
        ("index.redundant", "error", "index:readings.again")
    ]
    assert report.findings[0].location.file == UP


def test_express_is_unproved_below_8_0(checked: Checked) -> None:
    """IDHACK is not Express: what only MongoDB 8.0 has is never passed on an older server."""
    report = checked((LIB, '@claim("id lookup")', '@claim("id lookup", "express")'), only=["mongo", "claim"])
    verdict = next(v for v in report.verdicts if v.check == "claim.express")
    assert (verdict.verdict, verdict.reason) == ("unproved", "version")
    assert "MongoDB 8.0" in verdict.message
