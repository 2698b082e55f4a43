"""The page of `monitor diagnose`: complete, harmless, readable without a mouse, and never large."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from dbtrust.model.monitor import Column, EngineView, Listing
from dbtrust.model.report import Finding, NotExamined, Problem, Report, ServerInfo
from dbtrust.report.html import render_html
from dbtrust.report.monitor_html import LARGEST

HOSTILE = "</style></code><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'"


def a_report(findings: tuple[Finding, ...], query: str = HOSTILE, rows: int = 3) -> Report:
    columns = (Column("total", "total", "ms"), Column("query", "statement", "code"), Column("n", "n", "name"))
    kept = tuple({"total": 10.0 * n, "query": query, "n": HOSTILE} for n in range(rows))
    listing = Listing("statements", f"Slowest {HOSTILE}", columns, kept, 40, "a caution")
    facts = {"version": "17.10", "database": HOSTILE}
    view = EngineView("postgres", "2026-01-01T00:00:00+00:00", None, None, facts, (listing,))
    return Report(
        HOSTILE, {"postgres": ServerInfo("17.10", False)}, findings=findings, monitor=(view,),
        not_examined=(NotExamined(HOSTILE, "pg_monitor"),), errors=(Problem(3, HOSTILE),),
    )  # fmt: skip


def finding(n: int = 1, severity: str = "warning", text: str = HOSTILE) -> Finding:
    evidence = {"query": text, "calls": n, "name": text}
    return Finding("statement.slow", severity, "postgres", f"statement:{text}", text, text, evidence)  # pyright: ignore[reportArgumentType]


class _Tags(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_nothing_of_a_server_becomes_markup() -> None:
    tags = _Tags(render_html(a_report((finding(),)))).seen
    assert not {"script", "img", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert not [a for _, attributes in tags for a in attributes if a.startswith("on")]
    assert not [
        v for _, a in tags for k, v in a.items() if k in ("src", "href") and not str(v).startswith("#")
    ]


def test_severities_come_first_and_what_was_left_out_before_the_tables() -> None:
    page = render_html(a_report((finding(1, "info"), finding(2, "error"), finding(3, "warning"))))
    places = [page.index(f'id="{name}"') for name in (
        "error-statement-slow", "warning-statement-slow", "info-statement-slow", "not-examined", "postgres-statements",
    )]  # fmt: skip
    assert places == sorted(places)


def test_tables_are_reached_and_named_without_a_mouse() -> None:
    tags = _Tags(render_html(a_report((finding(),)))).seen
    anchors = {a["id"] for _, a in tags if "id" in a}
    assert all(a["href"][1:] in anchors for t, a in tags if t == "a" and a.get("href"))  # pyright: ignore[reportOptionalSubscript]
    regions = [a for _, a in tags if a.get("role") == "region"]
    assert regions and all(a.get("tabindex") == "0" for a in regions)
    assert all(a.get("aria-label") or a.get("aria-labelledby") in anchors for a in regions)
    assert all(a.get("scope") == "col" for t, a in tags if t == "th")
    assert any(t == "html" and a.get("lang") == "en" for t, a in tags)


def test_a_page_is_never_large() -> None:
    many = tuple(finding(n, text=HOSTILE * 200) for n in range(3_000))
    page = render_html(a_report(many, query=HOSTILE * 5_000, rows=20))
    assert len(page.encode()) <= LARGEST
    assert re.search(r"and [\d]+ more, all in the JSON report", page)


def test_both_themes_are_in_the_page_and_an_empty_one_says_so() -> None:
    page = render_html(Report(None, monitor=()))
    assert "prefers-color-scheme: dark" in page and "No server was read" in page
    view = EngineView("mongo", "2026-01-01T00:00:00+00:00", None, None)
    assert "Nothing found in what was examined" in render_html(Report("x", monitor=(view,)))
