"""A connection, and one line where there is none."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from dbtrust.engine.postgres.connect import address, connect, redact
from dbtrust.engine.postgres.errors import condition, describe, failure_of, position
from dbtrust.model.errors import ConfigError, ServerError


def test_statements_are_never_prepared(postgres_url: str) -> None:
    with connect(postgres_url) as connection:
        assert connection.prepare_threshold is None and connection.autocommit
        for _ in range(7):
            connection.execute("SELECT %s::int", [1])
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        assert connection.execute("SELECT current_setting('application_name')").fetchone() == ("dbtrust",)


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_statement_timeout(postgres_url: str, autocommit: bool) -> None:
    with connect(postgres_url, statement_timeout_ms=50, autocommit=autocommit) as connection:
        for _ in range(2):
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute("SELECT pg_sleep(5)")
            connection.rollback()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cr%40t!@127.0.0.1:1/x",
        "host=127.0.0.1 port=1 user=me password='s3cr@t!'",
        "host=/nowhere port=1",
    ],
)
def test_a_server_that_is_not_there(url: str) -> None:
    with pytest.raises(ServerError) as caught:
        connect(url)
    text = str(caught.value)
    assert address(dict(conninfo_to_dict(url))) in text and "\n" not in text
    assert "s3cr" not in text and caught.value.next and caught.value.code == 3
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@h:notaport/x?y", "nonsense password=s3cret =", "mysql://a:s3cret@b"]
)
def test_an_unreadable_url(url: str) -> None:
    with pytest.raises((ConfigError, ServerError)) as caught:
        connect(url)
    assert "s3cret" not in str(caught.value) and caught.value.next


def test_an_absent_database(postgres_url: str) -> None:
    with pytest.raises(ServerError, match="does not exist") as caught:
        connect(make_conninfo(postgres_url, dbname="no_such_database"))
    assert "create that database" in caught.value.next


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:s3cret@h/db", "postgresql://me:s3cret@h@h/db", "postgresql://me:s3/cret@h/db",
        "host=h password=s3cret user=me", "password = 's3cret \\' s3cret' user=x", "postgresql://h/db?password=s3cret&x=1",
    ],
)  # fmt: skip
def test_passwords_are_redacted(text: str) -> None:
    assert "cret" not in redact(text) and "***" in redact(text)


def caught(connection: psycopg.Connection[object], statement: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as info:
        connection.execute(statement.encode())
    return info.value


def test_a_violation(pg: psycopg.Connection[object]) -> None:
    pg.execute("CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0), b int NOT NULL DEFAULT 1)")
    failure = failure_of(caught(pg, "INSERT INTO t VALUES (-1)"))
    assert (failure.sqlstate, failure.schema, failure.table, failure.constraint) == (
        "23514",
        "public",
        "t",
        "positive",
    )
    assert describe(caught(pg, "INSERT INTO t VALUES (-1)")) == (
        '23514 check_violation: new row for relation "t" violates check constraint "positive"'
    )
    assert failure_of(caught(pg, "INSERT INTO t VALUES (1, NULL)")).column == "b"
    assert failure.position is None and failure.detail is not None


def test_a_domain_names_its_type(pg: psycopg.Connection[object]) -> None:
    pg.execute("CREATE DOMAIN d AS int CONSTRAINT small CHECK (VALUE < 5)")
    failure = failure_of(caught(pg, "SELECT 7::d"))
    assert (failure.datatype, failure.constraint) == ("d", "small")


def test_a_position_counts_characters(pg: psycopg.Connection[object]) -> None:
    assert position(caught(pg, "SELECT 'é', nothing")) == 13
    assert failure_of(caught(pg, "SELECT 1 +")).position == 11


def test_an_error_without_a_code() -> None:
    assert describe(psycopg.OperationalError("the line\n\tis dead")) == "the line is dead"
    assert condition("00XYZ") == "" and condition("40P01") == "deadlock_detected"


def test_an_unknown_code_is_one_line(pg: psycopg.Connection[object]) -> None:
    error = caught(pg, "DO $$ BEGIN RAISE EXCEPTION E'a\\nb' USING ERRCODE = 'ZZ999'; END $$")
    assert describe(error) == "ZZ999: a b"


@pytest.mark.parametrize("password", ["p", "acc"])
def test_a_short_password_does_not_show_in_the_gaps_of_words(password: str) -> None:
    with pytest.raises(ServerError) as caught:
        connect(f"postgresql://me:{password}@127.0.0.1:1/x")
    assert "***" not in caught.value.message
    assert "port 1 failed" in caught.value.message and "accepting" in caught.value.message
