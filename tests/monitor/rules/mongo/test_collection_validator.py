"""Validators that let documents pass."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_validator import RULE

VALIDATOR = {"$jsonSchema": {"required": ["n"]}}


def test_finds_warn_off_and_moderate(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.create_collection("a", validator=VALIDATOR, validationAction="warn")
    mongo_db.create_collection("b", validator=VALIDATOR, validationLevel="off")
    mongo_db.create_collection("c", validator=VALIDATOR, validationLevel="moderate")
    found = {f.subject: f.severity for f in diagnose(RULE)}
    assert found == {"collection:a": "warning", "collection:b": "warning", "collection:c": "info"}


def test_is_silent_about_strict_ones_and_none(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.create_collection("a", validator=VALIDATOR)
    mongo_db.create_collection("b", validationAction="warn")
    assert diagnose(RULE) == []
