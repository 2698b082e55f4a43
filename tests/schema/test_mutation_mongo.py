"""Mutants on MongoDB: validator clauses, level, action and indexes, and what is written for those that survive."""

from __future__ import annotations

from tests.schema.conftest import Mutated, fates, total

from dbtrust.schema.mutation import proofs_of

TOML = """
[project]
name = "small"
python = ["src"]
[mongo]
version = "6.0"
proofs = ["small_proofs"]
queries = ["small_queries:Queries"]
[migrations]
folder = "migrations"
"""
MIGRATION = """
from dbtrust.migrations import create_collection, create_index

VALIDATOR = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["name", "kind"],
        "properties": {
            "name": {"bsonType": "string", "minLength": 2, "pattern": "^[a-z]+$"},
            "kind": {"enum": ["cat", "dog"]},
            "legs": {"bsonType": "int", "minimum": 0, "maximum": 8},
            "toys": {"bsonType": "array", "maxItems": 2, "items": {"bsonType": "object", "required": ["of"]}},
        },
        "additionalProperties": True,
    },
    "$expr": {"$ne": ["$name", "$kind"]},
}
steps = [
    create_collection("pets", validator=VALIDATOR),
    create_collection("bare"),
    create_collection("loose", validator={"n": {"$gt": 0}}, action="warn"),
    create_index("pets", [("name", 1), ("kind", -1)], name="by_name"),
    create_index("pets", [("kind", 1)], name="by_kind"),
    create_index("pets", [("kind", 1), ("legs", 1)], name="by_kind_and_legs"),
    create_index("pets", [("chip", 1)], name="chip_once", unique=True, sparse=True),
    create_index("bare", [("seen", 1)], name="seen", expireAfterSeconds=3600),
]
"""
QUERIES = """
from dbtrust import MongoQueries, claim, example

class Queries(MongoQueries):
    @claim("uses by_name", "no sort")
    @example(name="rex")
    def named(self, name):
        return list(self.db.pets.find({"name": name}).sort([("name", 1), ("kind", -1)]))
"""
NO_PROOFS = "# none\n"
FILES = {"dbtrust.toml": TOML, "migrations/1_pets.py": MIGRATION, "src/small_queries.py": QUERIES}
CLAUSES = [
    "pets does not require name", "pets does not require kind", "pets without bsonType string of name",
    "pets without minLength 2 of name", "pets without pattern ^[a-z]+$ of name", "pets without enum cat or dog of kind",
    "pets refuses 'cat' of kind", "pets without minimum 0 of legs", "pets refuses 0 of legs", "pets refuses 8 of legs",
    "pets without maxItems 2 of toys", "pets does not require toys.of", "pets warns instead of refusing",
    "pets without $expr: {'$ne': ['$name', '$kind']}", "pets lets invalid old documents be updated",
]  # fmt: skip
INDEXES = [
    ("index:pets.by_name", "index pets.by_name with its first two fields swapped"),
    ("index:pets.by_name", "index pets.by_name without kind"),
    ("index:pets.chip_once", "index pets.chip_once without unique True"),
    ("index:pets.chip_once", "index pets.chip_once without sparse True"),
    ("index:bare.seen", "index bare.seen without expireAfterSeconds 3600"),
]
EQUIVALENT = [
    ("collection:pets", "pets without bsonType object", "a document is always an object"),
    ("collection:pets", "pets without additionalProperties True", "it is the default"),
    ("collection:loose", "loose without n: {'$gt': 0}", "level or action make the validator refuse nothing"),
    ("index:pets.by_kind", "index pets.by_kind dropped", "by_kind_and_legs serves all that it serves"),
    ("index:bare.seen", "index bare.seen with seen the other way", "an index of one field is read both ways"),
]


def test_what_is_written_kills_what_survived(mutated: Mutated) -> None:
    first = mutated({**FILES, "src/small_proofs.py": NO_PROOFS}, only="mongo")
    before = fates(first)
    for clause in CLAUSES:
        assert before["collection:pets", clause][0] == "survived", clause
    for key in INDEXES:
        assert key in before
    for subject, what, why in EQUIVALENT:
        assert before[subject, what] == ("equivalent", why)
    uses = ("killed", "query:Queries.named (uses by_name)")
    assert before["index:pets.by_name", "index pets.by_name dropped"] == uses
    assert {v.subject for v in first.verdicts if v.verdict == "not_applicable"} == {
        "collection:loose",
        "index:pets.by_kind",
    }
    survived = {key for key, (outcome, _) in before.items() if outcome == "survived"}
    assert "unproved" not in {outcome for outcome, _ in before.values()}
    text = proofs_of(first.sorted_verdicts(), "mongo")
    assert 'refused 121 on legs")' in text and "refused 11000 by chip_once" in text
    second = mutated({"src/small_proofs.py": text}, only="mongo")
    after = fates(second)
    assert [key for key in survived if after[key][0] != "killed"] == []
    assert total(second).verdict == "holds"
    assert "(100%)" in total(second).message


FEW = """
from dbtrust.migrations import create_collection

VALIDATOR = {"required": ["name"], "properties": {"kind": {"enum": ["cat", "dog"]}}}
steps = [create_collection("pets", validator={"$jsonSchema": VALIDATOR})]
"""


def test_a_proof_that_does_not_hold_kills_nothing(mutated: Mutated) -> None:
    proofs = """
from dbtrust import proof

@proof("refused 121 on name")
def accepted(db):
    return db.pets.insert_one({"name": "rex", "kind": "dog"})

@proof("refused 121 on kind")
def refused(db):
    return db.pets.insert_one({"name": "rex", "kind": "eel"})
"""
    files = {
        **FILES,
        "migrations/1_pets.py": FEW,
        "src/small_queries.py": QUERIES.replace(
            '@claim("uses by_name", "no sort")', '@claim("no sort")'
        ).replace('.sort([("name", 1), ("kind", -1)])', ""),
    }
    found = fates(mutated({**files, "src/small_proofs.py": proofs}, only="mongo"))
    assert found["collection:pets", "pets without enum cat or dog of kind"] == ("killed", "proof:refused")
    assert found["collection:pets", "pets warns instead of refusing"] == ("killed", "proof:refused")
    assert found["collection:pets", "pets does not require name"][0] == "survived"
    assert not [by for _, by in found.values() if "accepted" in by]
