"""Mutants on PostgreSQL: which are made, which are noticed, and what is written for the others."""

from __future__ import annotations

import pytest
from tests.schema.conftest import Mutated, fates, total

from dbtrust.checks.select import Selection
from dbtrust.schema.mutation import proofs_of

TOML = """
[project]
name = "small"
[postgres]
version = "17"
schema = ["schema.sql"]
proofs = ["proofs/*.sql"]
queries = ["queries/*.sql"]
"""
SCHEMA = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN code AS text CONSTRAINT code_shape CHECK (VALUE ~ '^[a-z]{2}$');
CREATE TABLE owner (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CONSTRAINT name_size CHECK (length(name) >= 2 AND length(name) < 9),
    born date NOT NULL DEFAULT '2000-01-01',
    feels mood NOT NULL DEFAULT 'glad'
);
CREATE TABLE pet (
    number integer PRIMARY KEY,
    owner_id bigint NOT NULL CONSTRAINT pet_owner REFERENCES owner (id) ON DELETE CASCADE,
    kind code NOT NULL,
    weight numeric NOT NULL DEFAULT 1,
    heavy boolean GENERATED ALWAYS AS (weight > 10) STORED,
    stay daterange,
    changed timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_at_a_time EXCLUDE USING gist (stay WITH &&),
    CONSTRAINT light CHECK (weight < 100),
    CONSTRAINT light_and_more CHECK (weight < 100 AND weight > 0)
);
CREATE INDEX pet_by_kind ON pet (kind, weight DESC) INCLUDE (number) WHERE weight > 1;
CREATE INDEX pet_kind_again ON pet (kind);
CREATE INDEX pet_kind_again_2 ON pet (kind);
CREATE UNIQUE INDEX pet_changed_once ON pet (changed, owner_id);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := now();
    IF NEW.weight = 13 THEN
        RAISE EXCEPTION 'thirteen';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pet_touch BEFORE INSERT OR UPDATE ON pet FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE owner ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_them ON owner USING (true);
GRANT SELECT ON pet TO PUBLIC;
"""


def test_without_a_proof_everything_survives_and_what_is_written_kills_it(mutated: Mutated) -> None:
    first = mutated({"dbtrust.toml": TOML, "schema.sql": SCHEMA})
    before = fates(first)
    outcomes = {outcome for outcome, _ in before.values()}
    assert outcomes == {"survived", "equivalent"}
    survived = [key for key, (outcome, _) in before.items() if outcome == "survived"]
    assert total(first).message.startswith(f"mutation score 0 of {len(survived)} (0%)")
    assert first.exit_code == 1
    for verdict in first.verdicts:
        for told in verdict.evidence.get("mutants", ()):
            assert (told["outcome"] == "survived") == ("proof" in told), told
    text = proofs_of(first.sorted_verdicts(), "postgres")
    second = mutated({"proofs/written.sql": text})
    after = fates(second)
    assert after.keys() == before.keys()
    assert {after[key][0] for key in survived} == {"killed"}
    assert all(after[key][1].startswith("proof:") for key in survived)
    assert total(second).verdict == "holds"
    assert total(second).message.startswith(f"mutation score {len(survived)} of {len(survived)} (100%)")
    assert second.exit_code == 0


MADE = [
    ("constraint:owner.name_size", "CHECK name_size dropped"),
    ("constraint:owner.name_size", "CHECK name_size without length(name) >= 2"),
    ("constraint:owner.name_size", "CHECK name_size with > for >="),
    ("constraint:owner.name_size", "CHECK name_size with <= for <"),
    ("constraint:owner.owner_name_key", "UNIQUE owner_name_key dropped"),
    ("constraint:owner.owner_name_key", "UNIQUE owner_name_key is a plain index"),
    ("constraint:owner.owner_pkey", "PRIMARY KEY owner_pkey dropped"),
    ("constraint:owner.name_not_null", "owner.name accepts NULL"),
    ("constraint:owner.born_default", "owner.born has no default"),
    ("constraint:owner.feels_default", "owner.feels has the default 'sad'::public.mood"),
    ("constraint:owner.id_identity", "owner.id takes a value of the client's"),
    ("constraint:owner.id_identity", "owner.id is no longer generated"),
    ("constraint:owner.row_security", "owner has no row security"),
    ("constraint:owner.all_of_them", "policy all_of_them dropped"),
    ("constraint:pet.pet_owner", "FOREIGN KEY pet_owner dropped"),
    ("constraint:pet.pet_owner", "FOREIGN KEY pet_owner has ON DELETE NO ACTION for CASCADE"),
    ("constraint:pet.one_at_a_time", "EXCLUDE one_at_a_time dropped"),
    ("constraint:pet.heavy_generated", "pet.heavy is no longer generated"),
    ("constraint:pet.weight_default", "pet.weight has the default (1 + 1)"),
    ("constraint:pet.public_grant", "SELECT on pet revoked from public"),
    ("constraint:code.code_shape", "CHECK code_shape of domain code dropped"),
    ("constraint:mood.labels", "enum mood has no label 'sad'"),
    ("index:pet_by_kind", "index pet_by_kind dropped"),
    ("index:pet_by_kind", "index pet_by_kind without weight"),
    ("index:pet_by_kind", "index pet_by_kind with its first two columns swapped"),
    ("index:pet_by_kind", "index pet_by_kind with weight ascending"),
    ("index:pet_by_kind", "index pet_by_kind without INCLUDE (number)"),
    ("index:pet_by_kind", "index pet_by_kind without WHERE weight > 1::numeric"),
    ("index:pet_changed_once", "index pet_changed_once is not unique"),
    ("trigger:pet.pet_touch", "trigger pet_touch dropped"),
    ("trigger:pet.pet_touch", "trigger pet_touch not for INSERT"),
    ("trigger:pet.pet_touch", "trigger pet_touch not for UPDATE"),
    ("trigger:pet.pet_touch", "public.touch() without NEW.changed := now();"),
    ("trigger:pet.pet_touch", "public.touch() without RAISE EXCEPTION 'thirteen';"),
]
EQUIVALENT = [
    ("constraint:owner.id_not_null", "its primary key refuses NULL"),
    ("constraint:pet.light", "light_and_more says the same and more"),
    ("index:pet_kind_again_2", "pet_kind_again serves all that it serves"),
    ("trigger:pet.pet_touch", "it is the same as trigger pet_touch dropped"),
]
ONE_PROOF = """
-- name: some_names_are_short
-- claim: refused 23514 by name_size
INSERT INTO owner (name) VALUES ('x');
-- name: weight_is_one
-- claim: true
INSERT INTO owner (name) VALUES ('ann');
INSERT INTO pet (number, owner_id, kind) SELECT -1, id, 'ox' FROM owner WHERE name = 'ann' RETURNING weight = 1;
-- name: false_anyhow
-- claim: true
SELECT EXISTS (SELECT FROM pet);
"""
QUERY = """
-- name: of_kind
-- claim: uses pet_by_kind on pet index only
-- claim: no sort
-- example: kind = 'ox'
SELECT weight, number FROM pet WHERE kind = :kind::text AND weight > 1 ORDER BY weight DESC;
"""


def test_each_mutant_is_made_and_only_what_is_said_kills(mutated: Mutated) -> None:
    toml = (
        TOML
        + 'settings = { enable_seqscan = "off", enable_bitmapscan = "off" }\n[data.pet]\nfile = "data.sql"\nrows = 200\n'
    )
    data = """WITH o AS (INSERT INTO owner (name) VALUES ('bob') RETURNING id)
    INSERT INTO pet (number, owner_id, kind, weight)
    SELECT n, id, chr(97 + n::int % 26) || 'x', 2 + n % 9 FROM o, generate_series(1, :rows) n"""
    schema = SCHEMA.replace("CREATE UNIQUE INDEX pet_changed_once ON pet (changed, owner_id);", "")
    schema += "CREATE UNIQUE INDEX pet_changed_once ON pet (changed, owner_id, number);"
    report = mutated({
        "dbtrust.toml": toml, "schema.sql": schema, "data.sql": data, "proofs/one.sql": ONE_PROOF, "queries/pets.sql": QUERY,
    })  # fmt: skip
    found = fates(report)
    for key in MADE:
        assert key in found, key
    for subject, why in EQUIVALENT:
        assert ("equivalent", why) in [fate for (name, _), fate in found.items() if name == subject], subject
    size = "constraint:owner.name_size"
    assert found[size, "CHECK name_size dropped"] == ("killed", "proof:some_names_are_short")
    assert found[size, "CHECK name_size without length(name) < 9"][0] == "survived"
    assert found["constraint:pet.weight_default", "pet.weight has the default (1 + 1)"] == (
        "killed",
        "proof:weight_is_one",
    )
    uses = ("killed", "query:pets.of_kind (uses pet_by_kind on pet index only)")
    assert found["index:pet_by_kind", "index pet_by_kind dropped"] == uses
    assert found["index:pet_by_kind", "index pet_by_kind without INCLUDE (number)"] == uses
    assert found["index:pet_by_kind", "index pet_by_kind without weight"][0] == "killed"
    assert found["index:pet_changed_once", "index pet_changed_once dropped"][0] == "survived"
    verdicts = {v.subject: v for v in report.verdicts}
    assert verdicts["constraint:owner.owner_name_key"].verdict == "refuted"
    assert "UNIQUE owner_name_key dropped" in verdicts["constraint:owner.owner_name_key"].message
    assert "refused 23505 by owner_name_key" in verdicts["constraint:owner.owner_name_key"].next
    assert verdicts["constraint:owner.id_not_null"].verdict == "not_applicable"
    assert verdicts["constraint:pet.weight_default"].verdict == "holds"


def test_a_trigger_that_refuses_everything(mutated: Mutated) -> None:
    schema = """CREATE TABLE shut (id int PRIMARY KEY, n int NOT NULL CHECK (n > 0));
    CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE TRIGGER no BEFORE INSERT ON shut FOR EACH ROW EXECUTE FUNCTION no();
    CREATE TABLE open (id int PRIMARY KEY);"""
    proof = "-- name: shut\n-- claim: refused P0001\nINSERT INTO shut VALUES (1, 1);\n"
    report = mutated({"dbtrust.toml": TOML, "schema.sql": schema, "proofs/p.sql": proof})
    found = fates(report)
    assert found["trigger:shut.no", "trigger no dropped"] == ("killed", "proof:shut")
    assert found["constraint:shut.shut_n_check", "CHECK shut_n_check dropped"][0] == "survived"
    by_subject = {v.subject: v for v in report.verdicts}
    # No row gets in, so the catalog's own words are the proof.
    assert "pg_get_constraintdef" in by_subject["constraint:shut.shut_n_check"].next
    assert "refused 23505 by open_pkey" in by_subject["constraint:open.open_pkey"].next


@pytest.mark.parametrize("schema", ["", "CREATE TABLE bare (n int);", "CREATE TABLE bare (n no_such_type);"])
def test_nothing_to_mutate(mutated: Mutated, schema: str) -> None:
    report = mutated({"dbtrust.toml": TOML, "schema.sql": schema})
    broken = "no_such_type" in schema
    assert total(report).verdict == ("unproved" if broken else "not_applicable")
    assert len(report.verdicts) == 1


def test_it_runs_only_when_named() -> None:
    assert not Selection.of([]).names("schema.mutation")
    assert not Selection.of(["schema"]).names("schema.mutation")
    assert Selection.of(["mongo", "schema.mutation"]).names("schema.mutation")
