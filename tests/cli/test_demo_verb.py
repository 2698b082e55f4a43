"""`dbtrust demo`: the copy, what it refuses, and the report. The full run is `make demo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbtrust.cli.main import run


def test_the_demo_is_copied_kept_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["demo", "shop", "--only", "trace"]) == 0
    first = capsys.readouterr().out
    assert "copied the example project" in first
    assert (tmp_path / "shop/report.html").is_file() and str(tmp_path / "shop/report.html") in first
    assert run(["demo", "shop", "--only", "trace"]) == 0
    assert "using the copy" in capsys.readouterr().out
    (tmp_path / "shop/src/shop/users.py").unlink()
    with (tmp_path / "shop/README.md").open("a", encoding="utf-8") as file:
        file.write("mine\n")
    assert run(["demo", "shop", "--only", "trace"]) in (0, 1, 2)
    assert "with your changes in README.md" in capsys.readouterr().out
    assert "mine" in (tmp_path / "shop/README.md").read_text(encoding="utf-8")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run(["demo", str(tmp_path)]) == 2
    assert "is no copy of the demo" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert run(["demo", str(tmp_path / "file")]) == 2


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dbtrust.cli.demo import copy_demo

    folder = tmp_path_factory.mktemp("demo") / "shop"
    copy_demo(folder)
    return folder


def test_every_claim_of_the_shop_holds_but_express(shop: Path) -> None:
    """On embedded servers, with the full data: 300,000 users and 200,000 products."""
    from dbtrust import check

    report = check(shop)
    assert not report.errors
    assert not report.findings
    assert [(v.check, v.subject, v.reason) for v in report.verdicts if v.verdict != "holds"] == [
        # Before the first migration of an engine there is no row that its down could lose.
        ("migrate.populated", "migration:0001", ""),
        ("migrate.populated", "migration:0002", ""),
        ("claim.express", "query:ProductQueries.by_id", "version"),
    ]
    assert [v.check for v in report.verdicts if v.verdict in ("refuted", "unproved")] == ["claim.express"]
    assert report.exit_code == 0
    count = {
        name: sum(v.check.startswith(name) for v in report.verdicts)
        for name in ("claim.", "proof.", "migrate.")
    }
    assert count["claim."] >= 20 and count["proof."] >= 10 and count["migrate."] >= 8
    assert all(server and server.embedded for server in report.servers.values())


def test_swapped_indexes_of_the_shop_are_seen_by_cost(shop: Path) -> None:
    """The query still uses the index of that name: only what it costs tells that its columns stand the wrong way."""
    from dbtrust import check

    edited = shop / "migrations/0001_users.sql"
    text = edited.read_text(encoding="utf-8")
    edited.write_text(
        text.replace("ON users (username, created_at DESC)", "ON users (created_at DESC, username)"),
        encoding="utf-8",
    )
    try:
        refuted = {
            (v.check, v.subject)
            for v in check(shop, only=["postgres", "claim"]).verdicts
            if v.verdict == "refuted"
        }
    finally:
        edited.write_text(text, encoding="utf-8")
    assert ("claim.cost", "query:users.by_username") in refuted
