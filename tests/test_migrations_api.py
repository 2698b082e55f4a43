"""The functions that a migration is written with: right arguments become data, wrong ones one clear line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from dbtrust import migrations as m
from dbtrust.model.errors import ConfigError
from dbtrust.model.steps import (
    CreateCollection,
    CreateIndex,
    DropCollection,
    DropIndex,
    RenameCollection,
    SetValidator,
)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (m.create_collection("c"), "create collection c"),
        (m.drop_collection("c"), "drop collection c"),
        (m.create_index("c", [("a", 1), ("b", -1)], name="i"), "create index c.i (a 1, b -1)"),
        (m.drop_index("c", "i"), "drop index c.i"),
        (m.set_validator("c", {"required": ["a"]}), "set the validator of c"),
        (m.set_validator("c", None), "remove the validator of c"),
        (m.rename_collection("c", "d"), "rename collection c to d"),
        (m.update_in_batches("c", {}, {"$set": {"a": 1}}), "update c in batches of 1000"),
        (m.step("seed", apply=print), "step seed"),
    ],
)
def test_each_step_says_what_it_does(made: m.Step, said: str) -> None:
    assert made.describe() == said


def test_steps_are_data() -> None:
    assert m.create_collection(
        "c", validator={"required": ["a"]}, level="moderate", action="warn"
    ) == CreateCollection("c", {"$jsonSchema": {"required": ["a"]}}, "moderate", "warn")
    assert m.create_collection("c", validator={"a": {"$gt": 1}}) == CreateCollection("c", {"a": {"$gt": 1}})
    assert m.set_validator("c", {"$jsonSchema": {}}) == SetValidator("c", {"$jsonSchema": {}})
    assert m.drop_collection("c") == DropCollection("c")
    assert m.drop_index("c", "i") == DropIndex("c", "i")
    assert m.rename_collection("a", "b") == RenameCollection("a", "b")
    assert m.create_index("c", "a", name="i", unique=True) == CreateIndex(
        "c", (("a", 1),), "i", {"unique": True}
    )
    assert m.create_index("c", {"a": "text"}, name="i").keys == (("a", "text"),)
    assert m.create_index("c", [["a", "2dsphere"]], name="i").keys == (("a", "2dsphere"),)


BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: m.create_collection(""), "'' is no name of a collection"),
    (lambda: m.drop_collection("system.views"), "no name of a collection"),
    (lambda: m.create_collection("a$b"), "no name of a collection"),
    (lambda: m.drop_collection(3), "3 is no name of a collection"),  # type: ignore[arg-type]
    (lambda: m.create_collection("c", level="strct"), "level is 'strct' (one of strict, moderate)"),  # type: ignore[arg-type]
    (lambda: m.create_collection("c", action="warning"), "action is 'warning'"),  # type: ignore[arg-type]
    (lambda: m.create_collection("c", validator={"requird": ["a"]}), "(did you mean required?)"),
    (lambda: m.set_validator("c", {"zzzzzz": 1}), "(wrap a schema as {'$jsonSchema': ...})"),
    (lambda: m.set_validator("c", {}), "the validator is {}"),
    (lambda: m.set_validator("c", "x"), "the validator is 'x'"),  # type: ignore[arg-type]
    (lambda: m.create_index("c", [], name="i"), "keys are []"),
    (lambda: m.create_index("c", 3, name="i"), "keys are 3"),  # type: ignore[arg-type]
    (lambda: m.create_index("c", ["a"], name="i"), "key 'a' is no (field, direction)"),  # type: ignore[list-item]
    (lambda: m.create_index("c", [("a", 2)], name="i"), "key ('a', 2) is no (field, direction)"),
    (lambda: m.create_index("c", [("a", True)], name="i"), "is no (field, direction)"),
    (lambda: m.create_index("c", "a", name="_id_"), "'_id_' is no name of an index"),
    (lambda: m.create_index("c", "a", name="i", uniqe=True), "unknown option 'uniqe' (did you mean unique?)"),
    (lambda: m.create_index("c", "a", name="i", zzz=True), "(one of 2dsphereIndexVersion, "),
    (lambda: m.drop_index("c", "*"), "'*' is no name of an index"),
    (lambda: m.rename_collection("a", "a"), "is renamed to itself"),
    (lambda: m.update_in_batches("c", [], {"$set": {}}), "filter is []"),  # type: ignore[arg-type]
    (lambda: m.update_in_batches("c", {}, {"a": 1}), "update is {'a': 1} (give operators"),
    (lambda: m.update_in_batches("c", {}, []), "update is []"),
    (lambda: m.update_in_batches("c", {}, {"$set": {"a": 1}}, size=0), "size is 0"),
    (lambda: m.update_in_batches("c", {}, {"$set": {"a": 1}}, size=True), "size is True"),
    (lambda: m.update_in_batches("c", {}, {"$set": {"a": 1}}, revert={"a": 1}), "revert is {'a': 1}"),
    (lambda: m.update_in_batches("c", {}, {"$set": {"a": 1}}, revert=({},)), "no pair (filter, update)"),  # type: ignore[arg-type]
    (lambda: m.step("", apply=print), "step: name is ''"),
    (lambda: m.step("s", apply=None), "step 's': apply is None"),  # type: ignore[arg-type]
    (lambda: m.step("s", apply=print, revert=3), "step 's': revert is 3"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "said"), BAD, ids=[said for _, said in BAD])
def test_a_wrong_argument_is_one_clear_line(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call()
    assert said in str(caught.value)
    assert caught.value.next


def test_no_driver_is_imported() -> None:
    code = "import sys, dbtrust.migrations; print({'pymongo', 'bson', 'psycopg'} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"
