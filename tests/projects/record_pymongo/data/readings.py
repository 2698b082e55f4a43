from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any


def rows(n: int, now: datetime, seed: int) -> Iterator[Mapping[str, Any]]:
    for i in range(n):
        yield {
            "_id": i,
            "sensor": f"s{i % 300}",
            "at": now - timedelta(minutes=i),
            "value": float(i % 17),
            "tags": [f"t{i % 50}"],
        }
