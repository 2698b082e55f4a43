"""Connecting, and refusing to in words that hold no password."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.urls import redact, shown
from dbtrust.model.errors import USAGE, ConfigError, DbtrustError, ServerError

SECRET = "s3cr%2Ft"


def test_dates_are_aware_and_uuids_are_uuids(mongo_url: str, mongo_db: Any) -> None:
    now, key = datetime(2025, 1, 2, tzinfo=UTC), uuid.uuid4()
    with connect(mongo_url) as client:
        client[mongo_db.name].c.insert_one({"at": now, "key": key})
        found = client[mongo_db.name].c.find_one({}, {"_id": 0})
    assert found == {"at": now, "key": key}


def test_no_server_is_one_line_without_the_password() -> None:
    with pytest.raises(ServerError) as caught:
        connect(f"mongodb://me:{SECRET}@127.0.0.1:1/", timeout_ms=200)
    assert "mongodb://me:***@127.0.0.1:1/ does not answer" in str(caught.value)
    _plain(caught.value)


def _plain(error: DbtrustError) -> None:
    text = str(error)
    assert SECRET not in text and "s3cr" not in text and "\n" not in text
    assert error.next


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mongodb://me:{SECRET}@127.0.0.1:port/", "'mongodb://me:***@127.0.0.1:port/' is no MongoDB URL"),
        (f"http://me:{SECRET}@127.0.0.1/", "'http://me:***@127.0.0.1/' is no MongoDB URL"),
        ("me:s3cr:et@h", "'me:***@h' is no MongoDB URL"),
        ("mongodb://me:s3cr/et@h/x", "percent-encoded"),
        ("mongodb://me:s3cr?et=x@h/x", "percent-encoded"),
        ("mongodb://me:s3cr@et@h/x", "escaped"),
        ("nonsense", "URI must begin with 'mongodb://'"),
        ("", "URI must begin with 'mongodb://'"),
        ("mongodb://", "at least one hostname"),
        ("mongodb+srv://", "at least one hostname"),
        ("mongodb+srv://h:1/x", "mongodb+srv"),
        ("postgres://x/y", "URI must begin with 'mongodb://'"),
        ("mongodb://h/prod?foo=bar", "Unknown option: foo"),
        ("mongodb://h/prod?maxPoolSize=many", "maxpoolsize must be an integer"),
        ("mongodb://h:99999/x", "Port must be an integer between 0 and 65535"),
        ("mongodb://[::1/x", "IPv6"),
        ("mongodb://h,i/x?directConnection=true", "directConnection"),
    ],
)
def test_a_url_that_cannot_be_read_is_bad_configuration(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(url, timeout_ms=200)
    assert said in str(caught.value)
    assert caught.value.code == USAGE
    _plain(caught.value)


def test_a_wrong_password_is_refused(mongo_url: str) -> None:
    with pytest.raises(ServerError, match="refused the connection") as caught:
        connect(re.sub(r"//([^@/]*@)?", "//nobody:wrongpass@", mongo_url, count=1), timeout_ms=2000)
    assert "wrongpass" not in str(caught.value)


def test_redact() -> None:
    assert redact("at me:s3cr/t@h", f"mongodb://me:{SECRET}@h/") == "at me:***@h"
    assert redact("as it is", "mongodb://h/") == "as it is"
    assert redact("mongodb://u:b@h", "mongodb://u:b@h/") == "mongodb://u:***@h"
    assert redact("a b of mongodb://u:b@b", "mongodb://u:b@h/") == "a b of mongodb://u:***@b"
    assert shown("mongodb://u:b@h/x?tls=true") == "mongodb://u:***@h/x"
