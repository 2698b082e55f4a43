"""Saved plans: what a text is told to be, the frames around it, and texts that are none or are damaged."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from hypothesis import example, given
from hypothesis import strategies as st

from dbtrust.engine.plan_file import LIMIT, SavedPlan, read_plans
from dbtrust.model.errors import USAGE, DbtrustError
from dbtrust.model.plan import Plan
from dbtrust.report.plan import Shown, render_plan_html, render_plan_json, render_plan_text

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mongo"
RECORDED = sorted(path.stem for path in FIXTURES.glob("*.json"))
TEXT = """\
Limit  (cost=0.29..8.31 rows=1 width=4) (actual time=0.011..0.012 rows=1 loops=1)
  Buffers: shared hit=3
  CTE recent
    ->  Seq Scan on public.orders o  (cost=0.00..35.50 rows=10 width=4) (never executed)
          Filter: (note = 'it''s
  ->  Seq Scan on trap  (cost=0.00..1.00 rows=1 width=4)'::text)
  ->  Index Scan Backward using "Odd Index" on public.users  (cost=0.29..8.31 rows=1 width=4) (actual time=0.010..0.010 rows=1 loops=1)
        Index Cond: (id = 1)
        Buffers: shared hit=3
Planning Time: 0.100 ms
Execution Time: 0.200 ms
"""
JSON = json.dumps(
    [{"Plan": {"Node Type": "Limit", "Total Cost": 1.5, "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t"}]}}],
    indent=2,
)  # fmt: skip
YAML = """\
- Plan: 
    Node Type: "Limit"
    Total Cost: 1.5
    Plans: 
      - Node Type: "Seq Scan"
        Relation Name: "t"
"""  # noqa: W291


def read(text: str | bytes) -> tuple[SavedPlan, ...]:
    return read_plans(text.encode() if isinstance(text, str) else text, "plan")


def one(text: str | bytes) -> Plan:
    (saved,) = read(text)
    return saved.plan


def refused(text: str | bytes) -> DbtrustError:
    with pytest.raises(DbtrustError) as raised:
        read(text)
    assert raised.value.code == USAGE
    assert raised.value.location.file == "plan"
    assert raised.value.next
    return raised.value


def shape(plan: Plan) -> list[tuple[Any, ...]]:
    return [(n.parent, n.type, n.relation, n.index, n.cost) for n in plan.nodes]


def aligned(text: str, *, border: int = 1, newline: str = "+") -> str:
    """A one-row result as psql prints it."""
    lines = text.rstrip("\n").split("\n")
    width = max(map(len, lines))
    left, right = ("| ", " |") if border == 2 else (" ", "")
    rows = [
        f"{left}{line.ljust(width)}{newline if number < len(lines) - 1 else ' '}{right.strip()}"
        for number, line in enumerate(lines)
    ]
    heading = f"{left}{'QUERY PLAN'.center(width)} {right.strip()}"
    ruler = "+" + "-" * (width + 2) + "+" if border == 2 else "-" * (width + 2)
    return "\n".join([heading, ruler, *rows, *([ruler] if border == 2 else []), "(1 row)", ""])


def by_rows(text: str, left: str = " ", right: str = "") -> str:
    """A result of one row a line, as psql prints it."""
    lines = text.rstrip("\n").split("\n")
    width = max(map(len, lines))
    rows = [f"{left}{line.ljust(width) if right else line}{right}" for line in lines]
    ruler = "-" * (width + 2)
    ruler = f"+{ruler}+" if left == "| " else ruler
    return "\n".join(
        [f"{left}{'QUERY PLAN'.center(width)}{right}", ruler, *rows, f"({len(lines)} rows)", "", ""]
    )


def drawn(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    width = max(map(len, lines))
    return "\n".join([
        f"┌{'─' * (width + 2)}┐", f"│ {'QUERY PLAN'.center(width)} │", f"├{'─' * (width + 2)}┤",
        *(f"│ {line.ljust(width)} │" for line in lines), f"└{'─' * (width + 2)}┘", f"({len(lines)} rows)", "",
    ])  # fmt: skip


def quoted(text: str) -> str:
    return "\n".join(f'"{line.replace(chr(34), chr(34) * 2)}"' for line in text.rstrip("\n").split("\n"))


def csv(text: str) -> str:
    return 'QUERY PLAN\n"{}"\n'.format(text.replace('"', '""'))


def expanded(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    return (
        "\n".join(f"-[ RECORD {n} ]{'-' * 30}\nQUERY PLAN | {line}" for n, line in enumerate(lines, 1)) + "\n"
    )


def logged(text: str) -> str:
    lines = "\n".join(f"\t{line}" for line in text.rstrip("\n").split("\n"))
    return (
        "2026-01-02 03:04:05.678 UTC [77] LOG:  checkpoint starting: time\n"
        f"2026-01-02 03:04:05.678 UTC [78] LOG:  duration: 12.345 ms  plan:\n{lines}\n"
        "2026-01-02 03:04:06.678 UTC [78] LOG:  disconnection: session time: 0:00:01\n"
    )


ROWS = {
    "psql": by_rows, "border 2": lambda t: by_rows(t, "| ", " |"), "right bars": lambda t: by_rows(t, "", "|"),
    "drawn": drawn, "pgAdmin": quoted, "CSV": csv, "log": logged,
    "fence": lambda t: f"```sql\n{t}```\n", "prompt": lambda t: f"shop=# EXPLAIN ANALYZE SELECT 1;\n{by_rows(t)}",
    "indented": lambda t: "".join(f"    {line}\n" for line in t.splitlines()), "CRLF": lambda t: t.replace("\n", "\r\n"),
    "UTF-16": lambda t: t.encode("utf-16"), "mark": lambda t: b"\xef\xbb\xbf" + t.encode(),
    "JSON rows": lambda t: json.dumps([{"QUERY PLAN": line} for line in t.splitlines()]),
    "timing": lambda t: f"{by_rows(t)}Time: 1.234 ms\n",
}  # fmt: skip


def test_the_text_itself() -> None:
    plan = one(TEXT)
    assert shape(plan) == [
        (None, "Limit", None, None, 8.31),
        (0, "Seq Scan", "orders", None, 35.5),
        (0, "Index Scan", "users", "Odd Index", 8.31),
    ]
    assert plan.nodes[1].detail["Subplan Name"] == "CTE recent"
    assert plan.nodes[1].loops == 0
    assert "trap" in plan.nodes[1].detail["Filter"]
    assert plan.nodes[2].detail["Scan Direction"] == "Backward"
    assert (plan.nodes[2].hit, plan.nodes[2].removed_recheck) == (3, 0)
    assert plan.totals == {
        "cost": 8.31, "returned": 1, "hit": 3, "read": 0, "planning_ms": 0.1, "execution_ms": 0.2,
    }  # fmt: skip


@pytest.mark.parametrize("frame", list(ROWS))
def test_frames_around_a_text_plan(frame: str) -> None:
    assert one(ROWS[frame](TEXT)).nodes == one(TEXT).nodes


def test_expanded_rows() -> None:
    text = TEXT.replace("'it''s\n  ->  Seq Scan on trap  (cost=0.00..1.00 rows=1 width=4)'", "'trap'")
    assert one(expanded(text)).nodes == one(text).nodes


ONE_VALUE = {
    "psql": aligned, "border 2": lambda t: aligned(t, border=2), "unicode": lambda t: aligned(t, newline="↵"),
    "pgAdmin": lambda t: '"' + t.replace('"', '""') + '"', "CSV": csv, "log": logged,
    "fence": lambda t: f"```json\n{t}\n```\n", "drawn": drawn,
}  # fmt: skip


@pytest.mark.parametrize("frame", list(ONE_VALUE))
@pytest.mark.parametrize("text", [JSON, YAML], ids=["JSON", "YAML"])
def test_frames_around_one_value(frame: str, text: str) -> None:
    assert shape(one(ONE_VALUE[frame](text))) == [
        (None, "Limit", None, None, 1.5),
        (0, "Seq Scan", "t", None, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        json.loads(JSON)[0], json.loads(JSON)[0]["Plan"], {"QUERY PLAN": json.loads(JSON)}, [{"QUERY PLAN": json.loads(JSON)}],
        [{"QUERY PLAN": JSON}], [{"QUERY PLAN": line} for line in JSON.splitlines()], TEXT.splitlines(),
    ],
)  # fmt: skip
def test_wrappings_of_other_tools(text: Any) -> None:
    assert one(json.dumps(text)).nodes[0].type == "Limit"


def test_a_log_of_auto_explain() -> None:
    text = f"Query Text: SELECT 'it''s'\n  FROM users\n{TEXT}"
    entry = json.dumps({"Query Text": "SELECT 2", **json.loads(JSON)[0]}, indent=2)
    yaml = 'Query Text: "SELECT 3"\n' + "\n".join(line[2:] for line in YAML.splitlines())
    saved = read(logged(text) + logged(entry) + logged(yaml))
    assert [s.plan.command for s in saved] == ["SELECT 'it''s'\n  FROM users", "SELECT 2", "SELECT 3"]
    assert [s.form for s in saved] == ["PostgreSQL text", "PostgreSQL JSON", "PostgreSQL YAML"]
    assert saved[0].plan.nodes == one(TEXT).nodes
    assert saved[0].line == 5


def test_csv_and_json_logs() -> None:
    message = f"duration: 1.2 ms  plan:\nQuery Text: SELECT 1\n{TEXT}"
    in_csv = '2026-01-02,"app","{}",,,\n'.format(message.replace('"', '""'))
    assert [s.plan.nodes for s in read(in_csv * 2)] == [one(TEXT).nodes] * 2
    in_json = json.dumps({"timestamp": "2026", "message": message}) + "\n"
    assert [(s.line, s.plan.nodes) for s in read(in_json * 2)] == [(3, one(TEXT).nodes), (4, one(TEXT).nodes)]


@pytest.mark.parametrize("text", [TEXT, by_rows(TEXT), JSON + "\n", aligned(JSON), logged(TEXT)])
def test_several_plans(text: str) -> None:
    saved = read(text * 3)
    assert len(saved) == 3
    assert len({s.line for s in saved}) == 3
    assert all(s.plan.nodes == saved[0].plan.nodes for s in saved)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"), (" \n\n", "empty"), ("<explain xmlns='http://www.postgresql.org/2009/explain'>", "XML"),
        (b"\x7fELF\x00\x01", "NUL"), (b"\x89PNG\r\n\x1a\n\xff\xfe", "UTF-8"), ("hello, world", "no plan"), ("{}", "no plan"), ("[]", "no plan"),
        ('{"a": 1}', "a document with a"), ("[1, 2]", "a list of values"), ('{"Plan": 5}', "a document with Plan"),
        (JSON[:20], "ends inside"),
        (JSON[:40], "closing quote"), ('[{"Plan": }]', "no value"), ("# a page\n\nof text: yes\n", "no plan"),
        ("- Plan: \n    Node Type: \"Limit\"\n   - broken", "YAML"), ("SELECT 1;", "no plan"), ("QUERY PLAN\n-----\n(0 rows)\n", "no plan"),
        (b"a" * (LIMIT + 1), "larger than 8 MiB"), (b"\xff\xfe\x00", "UTF-8"), ("\x1f\x8b", "no plan"),
        ('{"queryPlanner": {"winningPlan": ' + '{"inputStage": ' * 500 + "{}" + "}" * 502, "nested deeper"),
        ("[" * 20_000 + "]" * 20_000, "no plan"),
        ('{"Node Type": 5}', "no plan"), ('{"Plan": {"Node Type": 5}}', "a node without a type"),
        (by_rows("<explain>\n</explain>"), "XML"), ("<table border='1'>", "HTML"),
    ],
)  # fmt: skip
def test_what_is_no_plan(text: str | bytes, word: str) -> None:
    assert word in refused(text).message


JOIN = """\
Hash Join  (cost=0.29..8.31 rows=1 width=4) (actual time=0.011..0.012 rows=1 loops=1)
  Hash Cond: (o.user_id = u.id)
  ->  Append  (cost=0.00..35.50 rows=10 width=4) (actual time=0.011..0.012 rows=1 loops=1)
        Subplans Removed: 2
  ->  Hash  (cost=0.00..1.00 rows=1 width=4) (actual time=0.011..0.012 rows=1 loops=1)
        Buckets: 1024  Batches: 1  Memory Usage: 9kB
        ->  Seq Scan on users u  (cost=0.29..8.31 rows=1 width=4) (actual time=0.010..0.010 rows=1 loops=1)
              Filter: (name <> ALL ('{a,b}'::text[]))
Planning Time: 0.100 ms
Execution Time: 0.200 ms
"""


@pytest.mark.parametrize("frame", ["psql", "border 2", "drawn", "fence"])
def test_a_text_plan_that_is_cut_anywhere(frame: str) -> None:
    """What is shown has every node; else there is an error with the line."""
    text = ROWS[frame](JOIN)
    assert isinstance(text, str)
    whole, cuts = [node.type for node in one(text).nodes], 0
    for at in range(text.index("Hash Join"), len(text)):
        try:
            assert [node.type for node in one(text[:at]).nodes] == whole, text[:at]
        except DbtrustError as error:
            assert error.location.line or not text[:at].strip()
            cuts += 1
    assert cuts >= text.index("Filter: ") - text.index("Hash Join")


@pytest.mark.parametrize("frame", ["psql", "border 2", "drawn"])
def test_a_text_plan_without_its_beginning(frame: str) -> None:
    text = ROWS[frame](JOIN)
    assert isinstance(text, str)
    start, lines = text.index("Hash Join") + 1, text.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "Hash Join" in line)
    later = [sum(map(len, lines[:number])) for number in range(first + 1, first + 6)]
    for at in (*range(start, later[0]), *later):
        assert refused(text[at:]).location.line, text[at:]


@pytest.mark.parametrize("line", [2, 4, 6])
def test_a_line_that_is_missing_inside(line: int) -> None:
    """A node that is gone leaves another one without what it needs."""
    lines = JOIN.splitlines()
    assert refused("\n".join(lines[:line] + lines[line + 1 :])).location.line


@pytest.mark.parametrize(
    ("kind", "below"), [("Sort", 0), ("Nested Loop", 1), ("Append", 0), ("Gather", 0), ("Gather", 2)]
)
def test_nodes_that_lack_what_they_need(kind: str, below: int) -> None:
    """In every format alike."""
    scan = {"Node Type": "Seq Scan", "Relation Name": "t"}
    document = [{"Plan": {"Node Type": kind, "Plans": [scan] * below}}]
    text = "\n".join([kind, *["  ->  Seq Scan on t"] * below])
    yaml = f'- Plan: \n    Node Type: "{kind}"\n    Plans: \n' + '      - Node Type: "Seq Scan"\n' * below
    for form in (json.dumps(document), text, yaml):
        found = refused(form)
        assert f"{kind} has {below or 'none'} below it" in found.message
        assert found.location.line == 1


def test_yaml_that_is_cut() -> None:
    entry = '- Plan: \n    Node Type: "Sort"\n    Plan Width: 4\n    Plans: \n      - Node Type: "Result"\n'
    assert len(one(f"{entry}        Plan Width: 4\n").nodes) == 2
    assert "Result has no Plan Width" in refused(entry).message


def test_an_arrow_in_a_statement_is_no_node() -> None:
    text = f"Query Text: SELECT data\n  -> 'a'\n  -> 'b' FROM t\n{JOIN}"
    assert [node.type for node in one(text).nodes] == [node.type for node in one(JOIN).nodes]


def test_the_place_of_an_error() -> None:
    assert refused("\n\nhello").location.line == 3
    location = refused('[{"Plan": {\n  "Node Type": nope\n}}]').location
    assert (location.line, location.column) == (2, 16)
    assert refused(logged('{\n  "Plan": {:}}')).location.line == 4


DEEP_TEXT = "\n".join(
    ["Limit  (cost=0.00..1.00 rows=1 width=4)"]
    + [f"{' ' * (2 + 6 * depth)}->  Limit  (cost=0.00..1.00 rows=1 width=4)" for depth in range(599)]
    + [f"{' ' * (2 + 6 * 599)}->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)"]
)


@pytest.mark.parametrize(
    "text",
    [
        '[{"Plan": ' + '{"Node Type": "Limit", "Plans": [' * 600 + '{"Node Type": "Seq Scan"}' + "]}" * 600 + "}]",
        DEEP_TEXT,
    ],
    ids=["JSON", "text"],
)  # fmt: skip
def test_a_very_deep_plan_is_read_and_shown(text: str) -> None:
    plan = one(text)
    assert len(plan.nodes) == 601
    assert plan.nodes[-1].parent == 599
    assert "(600 deep)" in render_plan_text(Shown(plan, "deep"))
    assert len(json.loads(render_plan_json(plan))["plan"]["nodes"]) == 601
    assert "Limit" in render_plan_html(Shown(plan, "deep"))


def test_ten_thousand_levels() -> None:
    levels = 10_000
    opened = '{"Node Type": "Limit", "Plans": [' * levels
    plan = one('[{"Plan": ' + opened + '{"Node Type": "Result"}' + "]}" * levels + "}]")
    assert len(plan.nodes) == levels + 1


def test_a_detail_without_an_end_is_cut() -> None:
    plan = one('[{"Plan": {"Node Type": "Result", "Odd": ' + "[" * 5000 + "]" * 5000 + "}}]")
    assert plan.nodes[0].detail["Odd"] == "nested too deep to be shown"


def test_an_unknown_node_and_version_are_named() -> None:
    assert one("Warp Scan on t  (cost=0.00..1.00 rows=1 width=4)").unknown == ("Warp Scan",)
    custom = one("Custom Scan (Columnar) on t  (cost=0.00..1.00 rows=1 width=4)")
    assert custom.unknown == ("Custom Scan (Columnar)",)
    version = one('{explainVersion: "7", queryPlanner: {winningPlan: {stage: "WARP"}}}')
    assert version.unknown == ("explainVersion 7", "WARP")


def shell(value: Any, depth: int = 0) -> str:
    """Extended JSON as mongosh prints the values: names without quotes, types by their constructors."""
    pad = "  " * depth
    if isinstance(value, list):
        return "[ " + ", ".join(shell(item, depth + 1) for item in value) + ", ]"
    if not isinstance(value, dict):
        return (
            json.dumps(value)
            if not isinstance(value, str)
            else "'" + json.dumps(value)[1:-1].replace("'", "\\'") + "'"
        )
    for key, make in CONSTRUCTORS.items():
        if key in value:
            return make(value[key])
    fields = [
        f"{key if key.isidentifier() else json.dumps(key)}: {shell(item, depth + 1)}"
        for key, item in value.items()
    ]
    return (
        "{\n" + "".join(f"{pad}  {field}, // {number}\n" for number, field in enumerate(fields)) + pad + "}"
    )


CONSTRUCTORS: dict[str, Any] = {
    "$numberLong": lambda v: f"Long('{v}')", "$numberInt": lambda v: f"NumberInt({v})",
    "$numberDouble": lambda v: f"Double({v})", "$oid": lambda v: f'ObjectId("{v}")',
    "$minKey": lambda _: "MinKey()", "$maxKey": lambda _: "MaxKey",
    "$numberDecimal": lambda v: f'NumberDecimal("{v}")', "$timestamp": lambda v: f"Timestamp({v['t']}, {v['i']})",
    "$regularExpression": lambda v: f"/{v['pattern']}/{v['options']}",
    "$date": lambda v: f"ISODate('{v}')" if isinstance(v, str) else f"new Date({v['$numberLong']})",
    "$binary": lambda v: f"BinData({int(v['subType'], 16)}, '{v['base64']}')",
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
def test_the_forms_of_an_explain_document_are_one_plan(name: str) -> None:
    text = json.dumps(json.loads((FIXTURES / f"{name}.json").read_text())["explain"])
    values = json_util.loads(text)
    plan = one(text)
    assert plan.nodes
    canonical = json_util.dumps(values, json_options=json_util.CANONICAL_JSON_OPTIONS)
    relaxed = json_util.dumps(values, json_options=json_util.RELAXED_JSON_OPTIONS)
    for form in (
        canonical,
        relaxed,
        shell(json.loads(canonical)),
        f"shop> db.things.explain()\n{shell(json.loads(relaxed))}\n",
    ):
        assert one(form) == plan


def test_every_type_of_the_shells() -> None:
    id, uuid = "65a1b2c3d4e5f60718293a4b", "00112233-4455-6677-8899-aabbccddeeff"
    wanted = {
        "a": {"$oid": id}, "b": {"$date": "2024-01-02T03:04:05Z"}, "c": {"$numberDecimal": "1.50"},
        "d": {"$binary": {"base64": base64.b64encode(bytes.fromhex(uuid.replace("-", ""))).decode(), "subType": "04"}},
        "e": {"$timestamp": {"t": 5, "i": 1}}, "f": {"$regularExpression": {"pattern": "^a/\\d", "options": "i"}},
        "g": {"$minKey": 1}, "h": 7, "i": None, "j": "it's", "k": [1, -2.5, 16], "l": {"$Strange": ["x", 1]}, "m": 2.0,
    }  # fmt: skip
    text = f"""{{ stage: 'COLLSCAN', filter: {{
        a: new ObjectId("{id}"), b: ISODate("2024-01-02T03:04:05.000Z"), c: Decimal128('1.50'), d: UUID('{uuid}'),
        e: Timestamp({{ t: 5, i: 1 }}), f: /^a[/]\\d/i, /* a comment */ g: MinKey(), h: Long.fromString("7"), i: undefined,
        "j": 'it\\'s', k: [1, -2.5, 0x10,], l: Strange("x", 1), m: Double(2), // the end
    }} }}""".replace("[/]", "\\/")
    wanted["f"] = {"$regularExpression": {"pattern": "^a\\/\\d", "options": "i"}}
    assert one(text).nodes[0].detail["filter"] == wanted


def test_what_the_shell_left_out_is_named() -> None:
    plan = one(
        "{ winningPlan: { stage: 'FETCH', filter: [Object], inputStage: { stage: 'IXSCAN', indexBounds: [Array] } } }"
    )
    assert [node.type for node in plan.nodes] == ["FETCH", "IXSCAN"]
    assert plan.unknown == (
        "winningPlan.filter, left out by the shell",
        "winningPlan.inputStage.indexBounds, left out by the shell",
    )
    assert (
        one("{ queryPlanner: { winningPlan: [Object] } }").unknown[-1]
        == "queryPlanner.winningPlan, left out by the shell"
    )


def sources() -> list[str]:
    documents = [(FIXTURES / f"{name}.json").read_text() for name in RECORDED[::6]]
    shells = [shell(json.loads(document)["explain"]) for document in documents[:3]]
    return [
        TEXT,
        JSON,
        YAML,
        by_rows(TEXT),
        aligned(JSON),
        logged(TEXT),
        drawn(TEXT),
        quoted(TEXT),
        *documents,
        *shells,
    ]


SOURCES = sources()


def survives(text: str | bytes) -> None:
    """It is read and can be shown in every format, or it is refused with an error of ours."""
    try:
        saved = read(text)
    except DbtrustError as error:
        assert error.message
        return
    assert saved
    for item in saved[:3]:
        render_plan_text(Shown(item.plan, item.form), width=60)
        json.loads(render_plan_json(item.plan))


@given(st.sampled_from(SOURCES), st.data())
def test_damaged_plans(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 200)))
    kind = data.draw(st.sampled_from(["cut", "removed", "swapped", "doubled", "junk", "shuffled"]))
    lines = text.splitlines(keepends=True)
    if kind == "cut":
        damaged = text[:end]
    elif kind == "removed":
        damaged = text[:start] + text[end:]
    elif kind == "doubled":
        damaged = text[:end] + text[start:]
    elif kind == "junk":
        damaged = text[:start] + data.draw(st.text(max_size=12)) + text[end:]
    elif kind == "swapped":
        a, b = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        lines[a], lines[b] = lines[b], lines[a]
        damaged = "".join(lines)
    else:
        random.Random(start).shuffle(lines)
        damaged = "".join(lines)
    survives(damaged)


WRONG = [None, True, -1, 1e308, "x", [], {}, [[1]], {"a": {"b": [None]}}, "[Object]", float("nan"), 10**30]


def replaced(value: Any, chance: random.Random) -> Any:
    """Some values of a document replaced by values of other types."""
    if chance.randrange(12) == 0:
        return chance.choice(WRONG)
    if isinstance(value, list):
        return [replaced(item, chance) for item in value]
    return {key: replaced(item, chance) for key, item in value.items()} if isinstance(value, dict) else value


@given(
    st.sampled_from([name for name in RECORDED if name.startswith(("find", "agg", "look"))]), st.integers()
)
def test_values_of_wrong_types(name: str, seed: int) -> None:
    document = json.loads((FIXTURES / f"{name}.json").read_text())["explain"]
    document = {key: document[key] for key in ("queryPlanner", "executionStats", "stages") if key in document}
    survives(json.dumps(replaced(document, random.Random(seed))))


@given(st.integers())
@example(16777216)  # a number of rows beyond 64 bits
def test_values_of_wrong_types_in_postgres(seed: int) -> None:
    entry = read_entry()
    survives(json.dumps(replaced([entry], random.Random(seed))))


def read_entry() -> dict[str, Any]:
    from dbtrust.engine.postgres.plan_text import read as read_text

    return read_text(TEXT.split("\n"))[0].entry


@given(
    st.text(
        alphabet=st.sampled_from("[]{}(),:'\"/\\*-$.0123456789eE \n\tabNOLongtruefalsenullDate"), max_size=80
    )
)
def test_anything_like_a_document(text: str) -> None:
    survives("{" + text)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_at_all(text: str | bytes) -> None:
    survives(text)
