"""What only odd values lose: refuted on their table and column with the row shown; the twin that keeps them is silent."""

from __future__ import annotations

import pytest
from tests.migrate.conftest import Found, Prove, Step

from dbtrust.migrate.hostile import VARIANTS, hostile
from dbtrust.model.facts import Column

TYPES = {
    "texts": "text[]", "nums": "int[]", "moods": "mood[]", "span": "tstzrange", "days": "daterange", "many": "int4multirange",
    "doc": "jsonb", "pair": "pair", "tags": "tags", "at": "timestamptz", "day": "date", "fine": "numeric(10, 4)",
    "rough": "numeric(10, 2)", "half": "float8", "whole": "int", "small": "smallint", "word": "text", "bytes": "bytea", "clock": "time",
}  # fmt: skip
BASE = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a text, b int); CREATE DOMAIN tags AS text[];" + "".join(
    f"CREATE TABLE t_{name} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice int GENERATED ALWAYS AS (1) STORED, {name} {kind});"
    for name, kind in TYPES.items()
)  # fmt: skip


def _type(name: str, new: str, forth: str, back: str) -> tuple[str, str]:
    """The column as another type, and back."""
    alter = f"ALTER TABLE t_{name} ALTER COLUMN {name} TYPE"
    return f"{alter} {new} USING {forth};", f"{alter} {TYPES[name]} USING {back};"


def _split(name: str, new: str, forth: str, back: str) -> tuple[str, str]:
    """The column as other columns, and back."""
    columns = [part.strip() for part in new.split(",")]
    added = ", ".join(f"ADD COLUMN {c}" for c in columns)
    dropped = ", ".join(f"DROP COLUMN {c.split()[0]}" for c in columns)
    table = f"t_{name}"
    return (
        f"ALTER TABLE {table} {added}; UPDATE {table} SET {forth}; ALTER TABLE {table} DROP COLUMN {name};",
        f"ALTER TABLE {table} ADD COLUMN {name} {TYPES[name]}; UPDATE {table} SET {name} = {back}; ALTER TABLE {table} {dropped};",
    )


def _update(name: str, value: str) -> tuple[str, str]:
    return f"UPDATE t_{name} SET {name} = {value};", "SELECT 1;"


#: label: (column, (up, down) that loses, (up, down) that does not)
PAIRS: dict[str, tuple[str, tuple[str, str], tuple[str, str]]] = {
    "an array with commas": ("texts", _type("texts", "text", "array_to_string(texts, ',')", "string_to_array(texts, ',')"), _type("texts", "text", "texts::text", "texts::text[]")),
    "an array with NULL": ("nums", _type("nums", "text", "array_to_string(nums, ',')", "string_to_array(nums, ',')::int[]"), _type("nums", "bigint[]", "nums::bigint[]", "nums::int[]")),
    "an array of an enum": ("moods", _type("moods", "text[]", "array_remove(moods::text[], NULL)", "moods::mood[]"), _type("moods", "text[]", "moods::text[]", "moods::mood[]")),
    "an array behind a domain": ("tags", _type("tags", "text[]", "nullif(tags::text[], '{}')", "tags::tags"), _type("tags", "text[]", "tags::text[]", "tags::tags")),
    "bounds of a range": ("span", _split("span", "lo timestamptz, hi timestamptz", "lo = lower(span), hi = upper(span)", "tstzrange(lo, hi)"), _split("span", "was text", "was = span::text", "was::tstzrange")),
    "an empty range": ("days", _split("days", "lo date, hi date", "lo = lower(days), hi = upper(days)", "CASE WHEN lo IS NOT NULL OR hi IS NOT NULL THEN daterange(lo, hi) END"), _split("days", "was text", "was = days::text", "was::daterange")),
    "a multirange without an end": ("many", _update("many", "many * '{[-100,100)}'"), _type("many", "text", "many::text", "many::int4multirange")),
    "nulls deep in a document": ("doc", _update("doc", "jsonb_strip_nulls(doc)"), _type("doc", "json", "doc::json", "doc::jsonb")),
    "parts of a composite": ("pair", _type("pair", "text", "(pair).a", "ROW(pair, 0)::pair"), _type("pair", "text", "pair::text", "pair::pair")),
    "summer time in Europe": ("at", _type("at", "timestamp", "at AT TIME ZONE 'Europe/Berlin'", "at AT TIME ZONE 'Europe/Berlin'"), _type("at", "timestamp", "at AT TIME ZONE 'UTC'", "at AT TIME ZONE 'UTC'")),
    "summer time in New York": ("at", _type("at", "timestamp", "at AT TIME ZONE 'America/New_York'", "at AT TIME ZONE 'America/New_York'"), _type("at", "text", "at::text", "at::timestamptz")),
    "a day without an end": ("day", _type("day", "int", "CASE WHEN isfinite(day) THEN day - date '2000-01-01' END", "date '2000-01-01' + day"), _type("day", "text", "day::text", "day::date")),
    "no number": ("half", _type("half", "text", "nullif(half, 'NaN')::text", "half::float8"), _type("half", "text", "half::text", "half::float8")),
    "digits": ("fine", _type("fine", "numeric(10, 2)", "fine", "fine"), _type("fine", "numeric(14, 6)", "fine", "fine")),
    "more digits and back": ("rough", _type("rough", "numeric(12, 4)", "trunc(rough, 1)", "rough"), _type("rough", "numeric(12, 4)", "rough", "rough")),
    "an infinite number": ("half", _update("half", "CASE WHEN half <> '-Infinity' THEN half END"), _type("half", "text", "half::text", "half::float8")),
    "a number cut": ("whole", _type("whole", "smallint", "least(greatest(whole, -32768), 32767)", "whole"), _type("whole", "bigint", "whole", "whole::int")),
    "the least number": ("small", _type("small", "int", "greatest(small, -32767)", "small"), _type("small", "int", "small", "small")),
    "nothing is not NULL": ("word", _update("word", "nullif(word, '')"), ("UPDATE t_word SET word = word || 'x';", "UPDATE t_word SET word = left(word, -1);")),
    "signs of four bytes": ("word", _update("word", "regexp_replace(word, U&'[\\+010000-\\+10ffff]', '', 'g')"), ("UPDATE t_word SET word = '€' || word;", "UPDATE t_word SET word = substr(word, 2);")),
    "bytes": ("bytes", _type("bytes", "text", "encode(bytes, 'escape')", "nullif(decode(bytes, 'escape'), '')"), _type("bytes", "text", "encode(bytes, 'hex')", "decode(bytes, 'hex')")),
    "midnight": ("clock", _type("clock", "interval", "clock::interval", "clock::time"), _type("clock", "text", "clock::text", "clock::time")),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(prove: Prove) -> Found:
    steps: list[Step] = [(label, *pair[1]) for label, pair in PAIRS.items()]
    return prove(steps + [(f"{label}, kept", *pair[2]) for label, pair in PAIRS.items()], BASE)


@pytest.mark.parametrize("label", PAIRS)
def test_the_loss_is_refuted_with_its_row(found: Found, label: str) -> None:
    verdict, column = found[label, "migrate.populated"], PAIRS[label][0]
    assert (verdict.verdict, verdict.evidence["kind"]) == ("refuted", "lossy"), verdict
    assert f"t_{column} changed the row id = " in verdict.message and f"{column} was " in verdict.message


@pytest.mark.parametrize("label", PAIRS)
def test_its_twin_is_silent(found: Found, label: str) -> None:
    # What new code may write to a text is another question: no twin reads all of that.
    mine = {
        check: v
        for (name, check), v in found.items()
        if name == f"{label}, kept" and check != "migrate.written"
    }
    assert [v for v in mine.values() if v.verdict in ("refuted", "unproved")] == []
    assert mine["migrate.populated"].evidence["rows"] >= 8


def test_every_kind_of_value_is_read_by_the_server(found: Found, prove: Prove) -> None:
    """None of the values is a slip of the pen: the rows of a column of each type are as many as there are kinds."""
    del prove
    for label, (column, _, _) in PAIRS.items():
        kinds = [
            k
            for k in VARIANTS
            if hostile(Column("c", TYPES[column], TYPES[column], category="S" if column == "word" else ""), k)
        ]
        assert found[f"{label}, kept", "migrate.populated"].evidence["rows"] >= 5 + len(kinds), label
