"""`claims why` on PostgreSQL: each query of the project `orders` fails its claim for another reason."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest

from dbtrust.claims.postgres import Parsed
from dbtrust.claims.why import find_query, parse_all, pick
from dbtrust.claims.why_lab import Lab, asked_of
from dbtrust.claims.why_postgres import Case, explain_claims
from dbtrust.claims.why_rows import Bounds
from dbtrust.engine.postgres.load import vacuum
from dbtrust.judge.outcomes import known_names
from dbtrust.model.progress import silent
from dbtrust.model.report import ServerInfo
from dbtrust.model.why import Change, Explanation, Why
from dbtrust.report.why import render_why_json, render_why_text, why_schema
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.project import Project, read_project
from dbtrust.stage.postgres import PostgresStage, open_postgres
from dbtrust.stage.scale_postgres import scaled_postgres

ORDERS = Path(__file__).parents[1] / "projects" / "orders"


@dataclass
class Staged:
    """The project on a server."""

    project: Project
    stage: PostgresStage

    def case(self, name: str, claim: str | None = None, *, builds: int = 0) -> Case:
        query = find_query(self.project, name)
        claims = parse_all(query)
        catalog = self.stage.catalog()
        assert catalog is not None and not hasattr(query, "owner")
        item = Parsed(query, tuple(claims))  # type: ignore[arg-type]
        names = known_names(catalog.objects, "postgres")
        wanted = pick(claims, claim, query.subject)
        return Case(self.project, self.stage, item, wanted, names, Bounds(builds, 1000), silent)

    def why(self, name: str, claim: str | None = None, *, builds: int = 0) -> list[Explanation]:
        return explain_claims(self.case(name, claim, builds=builds), only_refuted=claim is None)


def _no_run() -> Any:
    raise AssertionError("a server of its own is not needed")


@contextmanager
def opened(folder: Path, url: str) -> Generator[Staged]:
    """A project staged on the server of `url`; it and its data have no errors."""
    config = load_config(folder)
    with project_path(config):
        project = read_project(config)
    assert not project.errors
    with open_postgres(project, _no_run, url, silent) as stage:
        assert not stage.errors
        yield Staged(project, stage)


@pytest.fixture(scope="module")
def staged(postgres_url: str) -> Iterator[Staged]:
    with opened(ORDERS, postgres_url) as found:
        yield found


def smallest(found: Explanation) -> Change:
    assert found.smallest is not None, [(c.title, c.effect, c.message) for c in found.changes]
    return found.smallest


#: Query -> (kind and title of the smallest change, the reason why no plan could be had before).
REASONS = {
    "newest_of": ("index", "put the keys of orders_day_customer in the order (customer, day)", "already takes its cheapest plan"),
    "typed": ("cast", "send :id as integer", "orders.id is integer and :id is sent as another type, so the column is cast to numeric"),
    "of_email": ("index", "make the key lower(email) of orders_lower email", "orders_lower holds lower(email), the condition compares email"),
    "not_closed": ("index", "take the predicate off orders_open", "do not imply the predicate of orders_open: (status = 'open'::text)"),
    "note_like": ("index", "give note of orders_note text_pattern_ops", "note has no text_pattern_ops"),
    "placed": ("index", "give orders_place the column's own collation", "ordered by collation POSIX"),
    "rename": ("index", "make the keys of orders_note (id, note)", "no condition of the query is on the leading key of orders_note, note"),
}  # fmt: skip


@pytest.mark.parametrize("query", list(REASONS))
def test_the_reason_and_the_change(staged: Staged, query: str) -> None:
    kind, title, reason = REASONS[query]
    (found,) = staged.why(query)
    assert found.verdict == "refuted" and found.chosen is not None and found.other is None
    assert reason in " ".join(found.impossible)
    change = smallest(found)
    assert (change.kind, change.title) == (kind, title)
    assert change.plan is not None and change.plan.analyzed


def test_the_change_is_true(staged: Staged) -> None:
    """The statements that are told, run by hand on another copy, make the claim hold."""
    case = staged.case("newest_of")
    (found,) = explain_claims(case, only_refuted=True)
    assert staged.stage.data is not None
    with staged.stage.copy(staged.stage.data) as name, Lab(staged.stage, name, case.names) as lab:
        (asked,) = asked_of(case.item)
        before = lab.plan(asked).totals["cost"]
        for statement in smallest(found).statements:
            lab.connection.execute(statement.encode())
        assert lab.plan(asked).totals["cost"] <= 25 < before


def test_a_column_that_an_index_only_scan_misses(staged: Staged) -> None:
    (found,) = staged.why("amounts", "uses orders_day_customer")
    assert found.impossible == ("column amount is not in orders_day_customer",)
    assert "INCLUDE (amount)" in smallest(found).statements[-1]


def test_the_claimed_plan_by_force(staged: Staged) -> None:
    (found,) = staged.why("amounts", "no sort")
    assert found.other is not None and found.chosen is not None
    assert found.other.forced_by == ("enable_sort = off",) and found.other.satisfies
    assert not any(node.type == "Sort" for node in found.other.plan.nodes)
    assert found.other.plan.totals["cost"] > found.chosen.totals["cost"]
    assert found.other.plan.analyzed and found.margin is not None and found.margin > 1
    assert found.parting == 0 and found.chosen.nodes[0].type == "Sort"


def test_correlated_columns(staged: Staged) -> None:
    (found,) = staged.why("first_of_region")
    change = smallest(found)
    assert (change.kind, change.title) == ("extended", "extended statistics on towns (country, region)")
    assert [c.effect for c in found.changes if c.kind == "statistics"] == ["no"]


def test_a_setting(staged: Staged) -> None:
    (found,) = staged.why("of_country")
    change = smallest(found)
    assert change.kind == "setting" and change.title.startswith("set random_page_cost to 1.")
    tried = [c for c in found.changes if "work_mem" in c.title]
    assert [c.effect for c in tried] == ["no"]


def test_the_row_count_at_which_it_flips(staged: Staged) -> None:
    case = staged.case("label", builds=4)
    (found,) = explain_claims(case, only_refuted=True)
    change = smallest(found)
    assert change.kind == "rows" and found.other is not None
    low, high = (int(part.split(" rows")[0].replace(",", "")) for part in change.message.split("at ")[1:3])
    assert 100 < low < high <= low * 1.8
    for rows, outcome in ((low, "refuted"), (high, "holds")):
        with (
            scaled_postgres(staged.project, staged.stage, {"small": rows}, silent) as name,
            Lab(staged.stage, name, case.names) as lab,
        ):
            assert lab.judged(case.claims[0], asked_of(case.item)[0])[0].outcome == outcome


def test_nothing_helps(staged: Staged) -> None:
    (found,) = staged.why("total")
    assert found.smallest is None and found.other is None
    assert found.impossible == ()
    assert "no plan that meets the claim was found" in found.notes[-1]
    assert "changes that were tried; another change may still make one possible" in found.notes[-1]
    assert all(change.effect == "no" for change in found.changes)
    text = render_why_text(_whole(staged, "total", [found]))
    assert "nothing that was tried makes the claim hold" in text


def test_a_name_that_does_not_exist(staged: Staged) -> None:
    (found,) = staged.why("typo")
    assert smallest(found).title == "claim: uses orders_lower on orders"
    assert "there is no index order_lower" in found.message


def test_what_holds_tells_its_margin(staged: Staged) -> None:
    first, second = staged.why("by_country")
    assert (first.verdict, second.verdict) == ("holds", "holds")
    assert first.other is not None and not first.other.satisfies and first.margin is not None
    assert first.margin > 1 and any(node.type == "Seq Scan" for node in first.other.plan.nodes)
    assert second.other is not None and second.other.plan.totals["cost"] > 400


def test_claims_at_a_number_of_rows(staged: Staged) -> None:
    """Each is explained over as many rows as it says; with none refuted but one, that one and what could not be built."""
    few, nowhere = staged.why("label_of_many")
    assert few.claim.endswith("at 40 rows in small") and few.verdict == "refuted"
    assert few.other is not None and few.other.plan.nodes[0].index == "small_pkey"
    assert few.chosen is not None and few.chosen.nodes[0].removed_filter == 39
    assert nowhere.verdict == "unproved" and "no generator makes rows of nowhere" in nowhere.message
    (many,) = staged.why("label_of_many", "uses small_pkey on small at 5_000")
    assert many.verdict == "holds" and many.margin is not None and many.margin > 1


def test_a_gain_is_two_plans(staged: Staged) -> None:
    (found,) = staged.why("gain")
    assert found.other is not None and found.other.forced_by == ("without index towns_pkey",)
    assert found.other.plan.nodes[0].type == "Seq Scan" and found.changes == ()


def test_a_query_that_cannot_run(staged: Staged) -> None:
    (found,) = staged.why("broken")
    assert found.verdict == "unproved" and "nothing" in found.message and found.chosen is None


def test_a_statement_without_a_plan(staged: Staged) -> None:
    (found,) = staged.why("utility")
    assert found.verdict == "unproved" and "no plan" in found.message and found.chosen is None


def test_heap_fetches_want_a_vacuum(staged: Staged) -> None:
    """Rows that were updated after the last VACUUM are fetched; only VACUUM mends that."""
    stage = staged.stage
    assert stage.data is not None
    with stage.copy(stage.data) as name:
        with stage.scratch.admin(name) as admin:
            admin.execute("CREATE INDEX orders_day_amount ON orders (day, customer) INCLUDE (amount)")
            admin.execute(
                "DROP INDEX orders_day_customer; ALTER INDEX orders_day_amount RENAME TO orders_day_customer"
            )
            vacuum(admin)
            admin.execute("UPDATE orders SET note = note || '!' WHERE day = '2024-03-01'")
        dirty = Staged(staged.project, replace(stage, data=name))
        (found,) = dirty.why("amounts", "uses orders_day_customer")
    assert found.verdict == "refuted" and "from the heap" in found.message
    assert (smallest(found).kind, smallest(found).statements) == ("vacuum", ("VACUUM public.orders",))


def test_a_role_that_is_no_superuser(staged: Staged, postgres_url: str) -> None:
    """It may not hide indexes: settings alone force a plan, and that is said."""
    role = f"plain_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x'".encode())
    try:
        url = psycopg.conninfo.make_conninfo(postgres_url, user=role, password="x")
        with open_postgres(staged.project, _no_run, url, silent) as stage:
            (found,) = Staged(staged.project, stage).why("amounts", "no sort")
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute(f"DROP ROLE {role}".encode())
    assert found.other is not None and found.other.forced_by == ("enable_sort = off",)
    assert any("no superuser" in note for note in found.notes)


def _whole(staged: Staged, query: str, found: list[Explanation]) -> Why:
    server = ServerInfo(staged.stage.version, False)
    return Why("orders", "postgres", f"query:orders.{query}", server, tuple(found), staged.stage.evidence)


@pytest.mark.parametrize("query", ["newest_of", "of_country", "typo", "by_country", "broken"])
def test_outputs(staged: Staged, query: str) -> None:
    whole = _whole(staged, query, staged.why(query))
    document = json.loads(render_why_json(whole))
    jsonschema.validate(document, why_schema(), cls=jsonschema.Draft202012Validator)
    wide, narrow = (
        render_why_text(whole, width=300, verbose=True),
        render_why_text(whole, width=70, unicode=False),
    )
    assert query in wide and max(map(len, narrow.splitlines())) <= 70
    if query == "by_country":
        assert any("chosen:" in line and "next best" in line for line in wide.splitlines())
        assert not any("chosen:" in line and "next best" in line for line in narrow.splitlines())
