"""`claims why` on MongoDB: each method of ThingQueries fails its claim for another reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dbtrust.claims.why import find_query, parse_all, pick
from dbtrust.claims.why_mongo import Case, explain_claims
from dbtrust.claims.why_rows import Bounds
from dbtrust.engine.mongo.whatif import index_changed, index_specs
from dbtrust.judge.outcomes import known_names
from dbtrust.model.progress import silent
from dbtrust.model.report import ServerInfo
from dbtrust.model.why import Explanation, Why
from dbtrust.report.why import render_why_json, render_why_text, why_schema
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import Project, read_project
from dbtrust.stage.mongo import MongoStage, Scratch, open_mongo

ORDERS = Path(__file__).parents[1] / "projects" / "orders"


@dataclass
class Staged:
    """The project's collections on a server, and a copy of them to change."""

    project: Project
    stage: MongoStage
    scratch: Scratch

    def why(self, name: str, claim: str | None = None, *, builds: int = 0) -> list[Explanation]:
        method = find_query(self.project, f"ThingQueries.{name}")
        catalog = self.stage.catalog()
        assert catalog is not None and isinstance(method, MongoMethod)
        every = parse_all(method)
        case = Case(
            self.project, self.stage, self.scratch, method, every, pick(every, claim, method.subject),
            known_names(catalog.objects, "mongo"), Bounds(builds, 1000), silent,
        )  # fmt: skip
        return explain_claims(case, only_refuted=claim is None)


def _no_run() -> Any:
    raise AssertionError("a server of its own is not needed")


@pytest.fixture(scope="module")
def staged(mongo_url: str) -> Iterator[Staged]:
    config = load_config(ORDERS)
    with project_path(config):
        project = read_project(config)
        with open_mongo(project, _no_run, mongo_url, silent) as stage, Scratch(stage) as scratch:
            assert not stage.errors
            yield Staged(project, stage, scratch)


def test_the_wrong_order_for_a_sort(staged: Staged) -> None:
    uses, sort = staged.why("by_day")
    for found in (uses, sort):
        assert found.verdict == "refuted" and found.other is not None and found.other.satisfies
        assert found.other.forced_by == ("hint day_group",)
        assert found.chosen_works is not None and found.other.works is not None
        assert found.other.works > found.chosen_works
        assert found.parting == 0 and found.rejected
        assert found.smallest is not None
        assert found.smallest.title == "put the keys of day_group in the order {group: 1, day: 1}"
        assert (
            found.smallest.statements[1]
            == 'db.things.createIndex({"group": 1, "day": 1}, {"name": "day_group"})'
        )


def test_a_field_that_a_covered_query_misses(staged: Staged) -> None:
    (found,) = staged.why("prices")
    assert found.impossible == ("field day is not in group_price",)
    assert found.smallest is not None and found.smallest.title == "add day to group_price"
    assert found.smallest.plan is not None and found.smallest.plan.totals["documents"] == 0


def test_a_partial_index_that_would_lose_documents(staged: Staged) -> None:
    (found,) = staged.why("of_kind")
    assert found.other is None and "the filter of rare" in found.impossible[0]
    assert found.smallest is not None and found.smallest.title == "take the filter off rare"


def test_nothing_helps(staged: Staged) -> None:
    (found,) = staged.why("noted")
    assert found.smallest is None and "no hint gives such a plan" in found.impossible[0]


def test_an_index_that_does_not_exist(staged: Staged) -> None:
    (found,) = staged.why("misspelt")
    assert found.smallest is not None and found.smallest.title == "claim: uses day_group on things"


def test_what_holds_tells_its_margin(staged: Staged) -> None:
    first, second = staged.why("newest")
    for found in (first, second):
        assert found.verdict == "holds" and found.other is not None and not found.other.satisfies
        assert found.margin is not None and found.margin > 1


def test_the_number_of_documents_is_searched(staged: Staged) -> None:
    (found,) = staged.why("by_day", "uses", builds=2)
    rows = [change for change in found.changes if change.kind == "rows"]
    assert [(c.effect, c.message) for c in rows] == [
        ("no", "tried from 2,000 to 20,000 rows, 2 builds (at most 2 builds)")
    ]


def test_the_copy_is_as_it_was(staged: Staged) -> None:
    """Changed indexes come back, also after one that the server refuses; the data that are read stay untouched."""
    db = staged.scratch.database()
    before = {spec["name"]: spec["key"] for spec in index_specs(db, "things")}
    spec = next(spec for spec in index_specs(db, "things") if spec["name"] == "day_group")
    with (
        pytest.raises(Exception, match="nonsense"),
        index_changed(db, "things", {"name": "day_group", "key": {"day": "nonsense"}}, spec),
    ):
        pass
    staged.why("by_day")
    db = staged.scratch.database()
    assert {spec["name"]: spec["key"] for spec in index_specs(db, "things")} == before
    assert {spec["name"] for spec in index_specs(staged.stage.reading(), "things")} == set(before)


@pytest.mark.parametrize("query", ["by_day", "prices", "misspelt"])
def test_outputs(staged: Staged, query: str) -> None:
    server = ServerInfo(staged.stage.version, False)
    found = tuple(staged.why(query))
    whole = Why("orders", "mongo", f"query:ThingQueries.{query}", server, found, staged.stage.evidence)
    document = json.loads(render_why_json(whole))
    jsonschema.validate(document, why_schema(), cls=jsonschema.Draft202012Validator)
    assert "smallest change that flips it" in render_why_text(whole, width=200, verbose=True)
