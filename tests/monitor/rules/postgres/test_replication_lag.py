"""replication.lag: replication lag."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import make_conninfo
from tests.monitor.conftest import Seen

from dbtrust.monitor.flow import Options, diagnose


def test_finds_a_standby_that_does_not_replay(lagging: tuple[Seen, Seen]) -> None:
    primary, replica = lagging
    assert primary.one("replication.lag", "replica:late").evidence["lag_bytes"] > 16 * 2**20
    assert "paused" in replica.one("replication.lag", "replica:this server").message


def test_is_silent_where_there_is_no_replica(well: Seen) -> None:
    assert well.of("replication.lag") == []


def test_a_role_that_may_not_see_the_lag_is_told_so(lagging: tuple[Seen, Seen], healthy_url: str) -> None:
    assert lagging[0].of("replication.lag")
    with psycopg.connect(healthy_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE sees_no_lag LOGIN")
        report = diagnose(Options(postgres=make_conninfo(healthy_url, user="sees_no_lag")))
        admin.execute("DROP ROLE sees_no_lag")
    assert "replication.lag" not in {f.rule for f in report.findings}
    (item,) = [i for i in report.not_examined if "replication.lag" in i.what]
    assert item.needs == "membership in pg_monitor"
