"""The three outputs of one report: what they say, that they are valid, and that nothing escapes into them."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from typing import Any

import jsonschema
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.model.errors import ConfigError, Interrupted, QueryFileError, ServerError
from dbtrust.model.location import Location
from dbtrust.model.plan import Node, Plan
from dbtrust.model.report import Finding, NotExamined, Problem, Report, ServerInfo, Verdict
from dbtrust.report.html import render_html
from dbtrust.report.json import render_json, schema
from dbtrust.report.redact import redact
from dbtrust.report.text import render_text

#: Made once: that the schema itself is one is seen where `jsonschema.validate` is called.
VALIDATOR = jsonschema.Draft202012Validator(schema())
HOSTILE = "a'\n<script>alert(1)</script>\"&\x1b[31m.sql"


def plan() -> dict[str, Any]:
    nodes = (
        Node(0, None, "Nested Loop", rows=10.0, estimated_rows=1000.0, loops=1.0, cost=99.5, time_ms=3.5, self_ms=1.5, hit=7, read=1),
        Node(1, 0, "Index Scan", relation="t", schema="public", index="t_pkey", rows=1.0, loops=10.0, cost=8.3, self_ms=2.0, removed_filter=3.0,
             detail={"Index Cond": "(id = <x>)", "Parent Relationship": "Outer", "Output": ["a", "b"]}),
        Node(2, 0, "Bitmap Heap Scan", relation="u", alias="u1", rows=0.5, loops=10.0, heap_fetches=2, detail={"Sort Key": ["a DESC"]}),
    )  # fmt: skip
    return Plan(
        "postgres", nodes, {"returned": 10, "execution_ms": 3.5}, unknown=("Odd Scan",), command="SELECT 1"
    ).to_dict()


def mongo_plan() -> dict[str, Any]:
    nodes = (
        Node(0, None, "FETCH", relation="c", documents=5, rows=5.0),
        Node(1, 0, "IXSCAN", relation="c", index="i", keys=9, detail={"keyPattern": {"a": 1}}),
    )
    return Plan("mongo", nodes, {"returned": 5, "keys": 9, "documents": 5}).to_dict()


def full() -> Report:
    where = Location(HOSTILE, 3, 11)
    odd = {
        "when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "price": decimal.Decimal("1.5"),
        "id": ObjectId("0" * 24),
        "raw": b"x",
        "huge": 2**80,
    }
    return Report(
        project="demo", servers={"postgres": ServerInfo("17.10", True), "mongo": None},
        verdicts=(
            Verdict("claim.uses", "postgres", "query:q.one", "refuted", "found Seq Scan on t (node 1)", claim="uses t_pkey", next="see the plan",
                    evidence={"plan": plan(), "data": {"rows": {"t": 5}}, "node": plan()["nodes"][1]}, location=where),
            Verdict("claim.cost", "postgres", "query:q.one", "holds", "cost 1", claim="cost at most 9", evidence={"plan": plan()}, location=where),
            Verdict("claim.express", "mongo", "query:Q.one", "unproved", "needs MongoDB 8.0", reason="version", evidence={"plan": mongo_plan(), "plans": [mongo_plan(), plan()], **odd}),
            Verdict("migrate.drifted", "postgres", "migration:0003", "not_applicable", "it creates no object"),
            Verdict("tests.pass", None, "file:dbtrust.toml", "holds", "5 passed", claim="pytest"),
        ),
        findings=(Finding("index.redundant", "error", "postgres", "index:i", "repeats j", fix="DROP INDEX i", location=where),
                  Finding("claim.drawn", "warning", None, "query:x", "drawn"), Finding("query.unbound", "info", None, "query:y", "unbound")),
        not_examined=(NotExamined("statistics", "pg_monitor"),),
        errors=(Problem(2, "postgresql://u:geheim@h/d is wrong", where, "mend it"), Problem(3, "no server")),
    )  # fmt: skip


def test_json_is_valid_and_sorted() -> None:
    document = json.loads(render_json(full()))
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    assert "geheim" not in json.dumps(document)
    places = [(v["location"]["file"] is None, v["check"]) for v in document["verdicts"]]
    assert places == sorted(places)
    assert document["summary"] == {
        "holds": 2,
        "refuted": 1,
        "unproved": 1,
        "not_applicable": 1,
        "errors": 1,
        "warnings": 1,
        "infos": 1,
    }


def test_the_schema_refuses_what_is_no_report() -> None:
    document = json.loads(render_json(full()))
    for wrong in ({"schema": 2}, {"more": 1}, {"summary": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**document, **wrong}, schema())
    document["verdicts"][0]["verdict"] = "maybe"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"width": 60},
        {"color": True, "width": 80},
        {"unicode": False},
        {"verbose": True},
        {"quiet": True},
        {"errors": False},
    ],
)
def test_text(options: dict[str, Any]) -> None:
    text = render_text(full(), **options)
    assert "uses t_pkey" in re.sub(r"\s+", " ", text)
    assert "geheim" not in text
    assert ("\x1b" in text) is bool(options.get("color"))
    assert "refuted: 1" in text
    assert ("5 passed" in text or "pytest" in text) is not options.get("quiet", False)
    assert "pg_monitor" in text
    if options.get("unicode") is False:
        assert not re.search(r"[✓✗]", text)


def test_html_is_one_file_with_every_plan_and_nothing_that_runs() -> None:
    page = render_html(full())
    assert "<script>alert" not in page
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for piece in ("Nested Loop", "t_pkey", "IXSCAN", "needs MongoDB 8.0", "pg_monitor", "DROP INDEX i"):
        assert piece in page
    assert "geheim" not in page
    assert render_html(Report("empty")) and render_html(Report(None, errors=(Problem(2, "x"),)))


@given(
    st.text(min_size=1, max_size=30),
    st.text(max_size=30),
    st.dictionaries(
        st.text(max_size=5), st.integers() | st.floats() | st.text(max_size=5) | st.none(), max_size=3
    ),
)
def test_any_text_is_shown(subject: str, message: str, evidence: dict[str, Any]) -> None:
    report = Report(
        "p",
        verdicts=(
            Verdict(
                "claim.uses",
                "postgres",
                subject,
                "refuted",
                message,
                evidence=evidence,
                location=Location(message or None, 1, 1),
            ),
        ),
    )
    VALIDATOR.validate(json.loads(render_json(report)))
    assert "\x1b" not in render_text(report, verbose=True)
    render_html(report)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([1], 1), ([3, 1], 3), ([4, 3], 3), ([4], 4), ([5, 3], 5), ([2, 5, 3, 4, 1], 2)],
)
def test_the_first_exit_code_wins(codes: list[int], expected: int) -> None:
    assert Report("p", errors=tuple(Problem(code, "x") for code in codes)).exit_code == expected


@pytest.mark.parametrize(
    ("outcome", "strict", "expected"),
    [
        ("holds", True, 0),
        ("refuted", False, 1),
        ("unproved", False, 0),
        ("unproved", True, 1),
        ("not_applicable", True, 0),
    ],
)
def test_what_fails(outcome: Any, strict: bool, expected: int) -> None:
    assert Report("p", verdicts=(Verdict("a", None, "b", outcome, "c"),), strict=strict).exit_code == expected


@pytest.mark.parametrize(
    ("level", "severity", "expected"),
    [("error", "warning", 0), ("warning", "warning", 1), ("info", "info", 1), ("never", "error", 0)],
)
def test_findings_fail_from_a_level(level: str, severity: Any, expected: int) -> None:
    assert (
        Report("p", findings=(Finding("r", severity, None, "s", "m"),), fail_on=level).exit_code == expected
    )


def test_errors_know_their_code() -> None:
    assert [
        Problem.of(e).code
        for e in (ConfigError("a"), QueryFileError("b"), ServerError("c"), Interrupted("d"))
    ] == [2, 2, 3, 4]
    assert str(ConfigError("wrong", location=Location("f", 1, 2), next="do")) == "f:1:2: wrong (do)"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:geheim@h/d",
        "mongodb://u:geheim@h",
        "password=geheim host=x",
        "host=x password='geheim' y",
    ],
)
def test_passwords_never_leave(text: str) -> None:
    assert "geheim" not in redact(text)
