"""Connecting, and refusing to in words that hold no password."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from dbtrust.engine.mongo.connect import connect, redact
from dbtrust.model.errors import NO_SERVER, ServerError

SECRET = "s3cr%2Ft"


def test_dates_are_aware_and_uuids_are_uuids(mongo_url: str, mongo_db: Any) -> None:
    now, key = datetime(2025, 1, 2, tzinfo=UTC), uuid.uuid4()
    with connect(mongo_url) as client:
        client[mongo_db.name].c.insert_one({"at": now, "key": key})
        found = client[mongo_db.name].c.find_one({}, {"_id": 0})
    assert found == {"at": now, "key": key}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mongodb://me:{SECRET}@127.0.0.1:1/", "does not answer"),
        (f"mongodb://me:{SECRET}@127.0.0.1:port/", "no MongoDB URL"),
        (f"http://me:{SECRET}@127.0.0.1/", "no MongoDB URL"),
        ("nonsense", "no MongoDB URL"),
    ],
)
def test_no_server_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ServerError) as caught:
        connect(url, timeout_ms=200)
    text = str(caught.value)
    assert said in text
    assert SECRET not in text
    assert "s3cr/t" not in text
    assert "\n" not in text
    assert caught.value.next
    assert caught.value.code == NO_SERVER


def test_a_wrong_password_is_refused(mongo_url: str) -> None:
    with pytest.raises(ServerError, match="refused the connection") as caught:
        connect(re.sub(r"//([^@/]*@)?", "//nobody:wrongpass@", mongo_url, count=1), timeout_ms=2000)
    assert "wrongpass" not in str(caught.value)


def test_redact() -> None:
    assert redact("at me:s3cr/t@h", f"mongodb://me:{SECRET}@h/") == "at me:***@h"
    assert redact("as it is", "mongodb://h/") == "as it is"
