"""postgresql.conf: what may be set, how it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.postgres.settings import configuration, quoted, refusal
from dbtrust.model.errors import ConfigError


def values(text: str) -> dict[str, str]:
    """A configuration as the server reads it: the last line of a name wins."""
    return dict(re.findall(r"^(\S+) = '(.*)'$", text, re.MULTILINE))


def test_the_project_overrides_defaults_and_not_what_keeps_servers_apart() -> None:
    found = values(
        configuration(
            {"random_page_cost": 1.1, "jit": False, "MAX_CONNECTIONS": 7, "search_path": ["a", "b"]},
            {"port": 1234, "unix_socket_directories": Path("/x")},
        )
    )
    assert found["random_page_cost"] == "1.1"
    assert found["jit"] == "off"
    assert found["max_connections"] == "7"
    assert found["search_path"] == "a, b"
    assert found["port"] == "1234"
    assert found["unix_socket_directories"] == "/x"
    assert found["listen_addresses"] == ""
    assert found["synchronous_commit"] == "on"
    assert found["autovacuum"] == "off"


def test_libraries_are_added_to_ours() -> None:
    found = values(configuration({"shared_preload_libraries": "pg_prewarm"}, {}))
    assert found["shared_preload_libraries"] == "pg_stat_statements, auto_explain, pg_prewarm"


@pytest.mark.parametrize(
    "name", ["port", "listen_addresses", "AUTOVACUUM", "data_directory", "x y", "a=b", "1", "a.", "x'\n"]
)
def test_a_name_that_is_not_the_projects_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"postgres\.settings"):
        configuration({name: "on"}, {})


def test_a_value_of_several_lines_is_refused() -> None:
    with pytest.raises(ConfigError, match="control character"):
        configuration({"work_mem": "1MB'\nfsync = 'on"}, {})


@given(st.text())
def test_a_value_is_read_as_it_was_written_or_refused(value: str) -> None:
    try:
        written = quoted("x", value)
    except ConfigError:
        return
    inner = written[1:-1]
    assert re.fullmatch(r"(?:[^'\\]|''|\\\\)*", inner), "it cannot end early"
    assert inner.replace("''", "'").replace("\\\\", "\\") == value


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.floats()))
def test_no_settings_make_it_fail_otherwise(project: dict[str, Any]) -> None:
    try:
        text = configuration(project, {})
    except ConfigError:
        return
    assert values(text)["listen_addresses"] == ""


def test_a_log_that_names_no_setting_is_no_refusal() -> None:
    assert refusal("FATAL:  something else", {"work_mem": 1}, Path("/")) is None
