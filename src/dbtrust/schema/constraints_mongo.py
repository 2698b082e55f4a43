"""schema.constraint on MongoDB: each clause of a validator is broken alone, each unique index is given a key twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, cast

from bson import json_util
from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.catalog import collections, indexes
from dbtrust.engine.mongo.trial import Bench, Refusal, numbered
from dbtrust.judge.mongo_breaking import breaking, parts_of, put, starting_points, variants
from dbtrust.judge.mongo_clauses import Clause, clauses, without
from dbtrust.judge.mongo_documents import BY_TYPE, types
from dbtrust.model.report import Outcome, Verdict

Document = dict[str, Any]
#: Codes of a validator and of a unique index.
INVALID, DUPLICATE = 121, 11000
#: What the server calls a clause where that is not its keyword.
_NAMES = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_TRIES = 6
#: So many documents are looked at for one condition.
_SEARCH = 1_500
#: So many documents that several clauses refuse are inserted to read which ones.
_MASKED = 80
#: The type of the document itself.
_ALWAYS = (("$jsonSchema", "bsonType"), ("$jsonSchema", "type"))


def judge_validators(
    source: Database[Any], fresh: Callable[[], AbstractContextManager[Database[Any]]]
) -> list[Verdict]:
    """One verdict for each clause of each validator and for each unique index of the database `source`.

    They are tried in a database of their own, which `fresh` gives. Raises PyMongoError where the server is lost.
    """
    verdicts: list[Verdict] = []
    with fresh() as database:
        for info in collections(source):
            if info.get("type", "collection") == "collection":
                verdicts += _of_collection(database, info, indexes(source, info["name"]))
    return verdicts


def _of_collection(
    database: Database[Any], info: Mapping[str, Any], specs: list[dict[str, Any]]
) -> list[Verdict]:
    name, options = info["name"], cast("Mapping[str, Any]", info.get("options", {}))
    validator = cast("Mapping[str, Any]", options.get("validator") or {})
    unique = [spec for spec in specs if spec.get("unique")]
    verdicts = (
        _weak(name, options)
        if validator
        else [_verdict(name, "not_applicable", "the collection has no validator")]
    )
    if not validator and not unique:
        return verdicts
    bench = Bench(database, validator)
    try:
        valid = _valid(bench, validator)
        if valid is None:
            why = "no document was found that the validator accepts"
            verdicts += [_unproved(name, clause, why) for clause in _rules(validator)]
            verdicts += [_index(name, spec, "unproved", why) for spec in unique]
            return verdicts
        if not any(v.verdict == "refuted" for v in verdicts):
            verdicts += [_broken(bench, name, clause, valid) for clause in _rules(validator)]
        bench.guard(validator)
        verdicts += [_doubled(bench, name, spec, valid) for spec in unique]
    finally:
        bench.close()
    return verdicts


def _weak(name: str, options: Mapping[str, Any]) -> list[Verdict]:
    """A validator that the server does not insist on."""
    action, level = options.get("validationAction", "error"), options.get("validationLevel", "strict")
    if level == "off":
        return [
            _verdict(
                name,
                "refuted",
                "validationLevel is off: nothing is checked",
                "validationLevel",
                "set it to strict",
            )
        ]
    if action != "error":
        message = "validationAction is warn: the server accepts what breaks the validator and only logs it"
        return [_verdict(name, "refuted", message, "validationAction", "set it to error")]
    if level == "moderate":
        message = "validationLevel is moderate: a document that already breaks the validator may be changed and stay so"
        return [
            _verdict(
                name, "unproved", message, "validationLevel", "set it to strict once every document is valid"
            )
        ]
    return []


def _valid(bench: Bench, validator: Mapping[str, Any]) -> Document | None:
    """A document that the server accepts, as full as one was found: one condition after the other is met."""
    full = starting_points(validator)
    met: list[dict[str, Any]] = []
    found = full
    for part in parts_of(validator):
        met.append(part)
        candidates = found if "$jsonSchema" in part else list(islice(variants(found[0], part), _SEARCH))
        found = bench.matching(candidates, {"$and": met})
        if not found:
            return None
    valid = next((document for document in found if bench.insert(document) is None), None)
    return _fuller(bench, valid, full[0]) if valid is not None else None


def _fuller(bench: Bench, valid: Document, full: Document) -> Document:
    """The valid document with each property of the fullest one that it can take."""
    for name, value in full.items():
        if name not in valid:
            grown = bench.matching([{**valid, name: value}], bench.validator)
            valid = grown[0] if grown else valid
    return valid


def _rules(validator: Mapping[str, Any]) -> list[Clause]:
    """The clauses that can refuse a document: each is an object, so `bsonType: object` of the whole is none."""
    return [
        clause
        for clause in clauses(validator)
        if not (clause.pointer in _ALWAYS and "object" in types(validator["$jsonSchema"]))
    ]


def _broken(bench: Bench, name: str, clause: Clause, valid: Document) -> Verdict:
    """A document that only the clause refuses, as the server finds; then the server's own refusal."""
    rest = without(bench.validator, clause)
    bare = {key: value for key, value in valid.items() if key != "_id" or clause.path[:1] == ("_id",)}
    condition = {"$and": [rest or {}, {"$nor": [bench.validator]}]}
    try:
        found = bench.matching(breaking(bench.validator, clause, bare), condition)
        bench.guard(bench.validator)
    except OperationFailure as error:
        return _unproved(name, clause, f"the validator cannot be tried without it: {Refusal(error)}")
    said = "no document was found that breaks it alone"
    for document in found[:_TRIES]:
        refused = bench.insert(document)
        if refused is None:
            return _clause(
                name,
                clause,
                "refuted",
                "the server accepted a document that breaks it",
                _shown(valid, document),
            )
        if refused.code == INVALID and _names(refused, clause):
            return _alone(bench, name, clause, rest, valid, document, refused)
        said = f"documents that break it are refused otherwise: {refused}"
    return _masked(bench, name, clause, valid, bare) or _unproved(name, clause, said)


def _masked(bench: Bench, name: str, clause: Clause, valid: Document, bare: Document) -> Verdict | None:
    """A document that other clauses refuse too (a type beside an enum), where errInfo names this one among them."""
    for document in bench.matching(breaking(bench.validator, clause, bare), {"$nor": [bench.validator]})[
        :_MASKED
    ]:
        refused = bench.insert(document)
        if refused is not None and refused.code == INVALID and _names(refused, clause):
            evidence = {
                **_shown(valid, document),
                "errInfo": _json(refused.details),
                "without it": "refused by others",
            }
            message = (
                f"refused: {refused} ({clause.text}); each document that was found breaks another clause too"
            )
            return _clause(name, clause, "holds", message, evidence)
    return None


def _alone(
    bench: Bench, name: str, clause: Clause, rest: Mapping[str, Any], valid: Document, document: Document,
    refused: Refusal,
) -> Verdict:  # fmt: skip
    bench.guard(rest)
    second = bench.insert(document)
    bench.guard(bench.validator)
    if second is not None:
        return _unproved(name, clause, f"without it the document is refused all the same: {second}")
    evidence = {**_shown(valid, document), "errInfo": _json(refused.details), "without it": "accepted"}
    return _clause(name, clause, "holds", f"refused: {refused} ({clause.text})", evidence)


def _names(refused: Refusal, clause: Clause) -> bool:
    """Does errInfo name the clause's operator and its property?"""
    dotted = ".".join(
        step for step in clause.path if step != "[]" and not step.isdigit() and not step.startswith("/")
    )
    operator = _NAMES.get(clause.operator, clause.operator)
    named = not dotted or any(p == dotted or p.startswith((f"{dotted}.", dotted)) for p in refused.paths)
    return operator in refused.operators and (named or operator.startswith("$"))


def _doubled(bench: Bench, name: str, spec: Mapping[str, Any], valid: Document) -> Verdict:
    """Two documents with one key."""
    if spec.get("building"):
        return _index(name, spec, "refuted", "its build has not ended")
    for first in _keyed(bench, spec, valid):
        second = {**first, "_id": numbered({}, 2)["_id"]}
        first = {**first, "_id": numbered({}, 1)["_id"]}
        try:
            refused = bench.twice(first, second, spec)
        except OperationFailure as error:
            return _index(name, spec, "unproved", f"the index cannot be made: {Refusal(error)}")
        own = refused is not None and (refused.code, refused.index) == (DUPLICATE, spec["name"])
        if own and bench.twice(first, second, None) is None:
            evidence = {**_shown(first, second), "without it": "accepted"}
            return _index(name, spec, "holds", f"refused: 11000 by {spec['name']}", evidence)
    return _index(name, spec, "unproved", "no two documents were found that only it refuses")


def _keyed(bench: Bench, spec: Mapping[str, Any], valid: Document) -> Iterator[Document]:
    """Valid documents that have the index's keys and are inside its partial filter."""
    fields = [name for name in spec["key"] if not name.startswith("$")]
    condition = {"$and": [bench.validator or {}, spec.get("partialFilterExpression") or {}]}
    condition["$and"] += [{name: {"$exists": True}} for name in fields]
    bare = {key: value for key, value in valid.items() if key != "_id"}
    candidates = [bare]
    for filled in islice(variants(bare, spec.get("partialFilterExpression") or {}), 60):
        for value in BY_TYPE.values():
            changed = filled
            for field in fields:
                changed = put(changed, field.split("."), value)
            candidates.append(changed)
        candidates.append(filled)
    yield from bench.matching(candidates[:1_000], condition)[:_TRIES]


def _shown(valid: Document, document: Document) -> dict[str, Any]:
    return {"accepted": _json(valid), "refused": _json(document)}


def _json(value: Any) -> Any:
    """As extended JSON, for a report."""
    return json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))


def _clause(name: str, clause: Clause, outcome: Outcome, message: str, evidence: dict[str, Any]) -> Verdict:
    step = "" if outcome == "holds" else "see the documents in the evidence" if outcome == "refuted" else ""
    return _verdict(name, outcome, message, clause.text, step, {**_place(clause), **evidence})


def _place(clause: Clause) -> dict[str, Any]:
    return {"clause": ".".join(map(str, clause.pointer)), "field": ".".join(clause.path)}


def _unproved(name: str, clause: Clause, why: str) -> Verdict:
    step = f'write a proof: @proof("refused 121{" on " + ".".join(clause.path) if clause.path else ""}")'
    return _verdict(name, "unproved", why, clause.text, step, _place(clause))


def _index(
    name: str, spec: Mapping[str, Any], outcome: Outcome, message: str, evidence: dict[str, Any] | None = None
) -> Verdict:
    step = f'write a proof: @proof("refused 11000 by {spec["name"]}")' if outcome == "unproved" else ""
    return Verdict(
        "schema.constraint", "mongo", f"index:{name}.{spec['name']}", outcome, message, next=step,
        reason="undecided" if outcome == "unproved" else "", evidence=evidence or {},
    )  # fmt: skip


def _verdict(
    name: str, outcome: Outcome, message: str, claim: str = "", step: str = "", evidence: dict[str, Any] | None = None
) -> Verdict:  # fmt: skip
    """`location` is left open: who calls knows the project's files."""
    return Verdict(
        "schema.constraint", "mongo", f"collection:{name}", outcome, message, claim=claim, next=step,
        reason="undecided" if outcome == "unproved" else "", evidence=evidence or {},
    )  # fmt: skip
