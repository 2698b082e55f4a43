"""A PostgreSQL URL that cannot be read ends with exit code 2, and no part of its password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.migrating import FILES, write

from dbtrust.cli.main import run

URLS = (
    "postgresql://u:hush@topsecret@127.0.0.1:1/db",
    "postgresql://u:hush/topsecret@127.0.0.1:1/db",
    "postgres://u:hush@topsecret@127.0.0.1:1",
    "mysql://u:topsecret@127.0.0.1:1/db",
    "postgres://a b:topsecret@127.0.0.1:1/x@y",
    "postgres//app:topsecret@127.0.0.1:1/x",
    "app:topsecret@127.0.0.1:1/x",
    "postgres//127.0.0.1:1/x?password=topsecret&user=me",
    "hots=127.0.0.1 password = 'hush topsecret'",
    "host=127.0.0.1 password='hush topsecret",
    r"hots=127.0.0.1 password=hush\ topsecret",
    "hots=127.0.0.1 password=hush&topsecret",
)


@pytest.mark.parametrize("url", URLS)
def test_nothing_of_the_password_is_shown(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = str(write(tmp_path, {"0001_a.sql": FILES["0001_a.sql"]}))
    migrate = (["up"], ["status"], ["plan"], ["prove"], ["dump"], ["up", "--database", "x"])
    verbs = [["migrate", words[0], project, *words[1:]] for words in migrate]
    verbs += [["check", project], ["monitor", "snapshot", project], ["monitor", "diagnose", project]]
    for words in verbs:
        code = run([*words, "--postgres", url])
        shown = "".join(capsys.readouterr())
        assert (code, "topsecret" in shown, "hush" in shown) == (2, False, False), (words, shown)
        assert "cannot be read" in shown


def test_an_escaped_at_sign_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = str(write(tmp_path, {"0001_a.sql": FILES["0001_a.sql"]}))
    for url in ("postgresql://u:p%40ss%2Fword@127.0.0.1:1/d", "postgresql://127.0.0.1:1/d?user=me@here"):
        assert run(["migrate", "up", project, "--postgres", url]) == 3
        assert "cannot connect to PostgreSQL at 127.0.0.1:1" in capsys.readouterr().err
