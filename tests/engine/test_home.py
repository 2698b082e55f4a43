"""Where state lies: chosen, default, refused, and the stand-in for a home that servers cannot use."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from dbtrust.engine import home as places
from dbtrust.engine import watchdog
from dbtrust.engine.home import ServerUser, ground, home, home_of, lasting_ground, reachable, server_user
from dbtrust.engine.runs import Run, sweep
from dbtrust.model.errors import ServerError

NOBODY = ServerUser(65534, 65534, "nobody")


def test_the_home_is_the_one_that_the_environment_names(fresh_home: Path) -> None:
    assert home() == fresh_home
    assert ground() == fresh_home
    assert lasting_ground() == fresh_home


def test_root_without_a_choice_uses_a_folder_that_others_may_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBTRUST_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert places._chosen_home() == Path("/var/cache/dbtrust")


def test_a_user_without_a_choice_uses_the_cache_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DBTRUST_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert home() == tmp_path / "dbtrust"


def test_a_home_that_cannot_be_made_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (Path("/proc/dbtrust"), tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("DBTRUST_HOME", str(folder))
        with pytest.raises(ServerError, match="cannot be written") as caught:
            home()
        assert "set DBTRUST_HOME" in caught.value.next


def test_a_read_only_home_says_what_to_set(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ServerError, match="read-only") as caught:
        home()
    assert "set DBTRUST_HOME" in caught.value.next


def test_a_home_of_another_user_is_refused(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 4_000_000)
    with pytest.raises(ServerError, match=f"belongs to user .* and this is {mine + 4_000_000}"):
        home()


def test_servers_of_a_plain_user_run_as_that_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_user() is None


def test_servers_of_root_run_as_nobody_or_the_last_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = server_user()
    assert user is not None
    assert user.name == "nobody"

    def absent(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", absent)
    last = [entry for entry in pwd.getpwall() if entry.pw_uid][-1]
    user = server_user()
    assert user == ServerUser(last.pw_uid, last.pw_gid, last.pw_name)
    monkeypatch.setattr(pwd, "getpwall", list)
    with pytest.raises(ServerError, match="do not run as root"):
        server_user()


def test_reachable_follows_the_modes_of_the_whole_way(fresh_home: Path) -> None:
    program = fresh_home / "folder" / "program"
    program.parent.mkdir(mode=0o755)
    program.touch()
    fresh_home.chmod(0o711)
    program.parent.chmod(0o755)
    program.chmod(0o755)
    assert reachable(program, NOBODY)
    assert reachable(program, None)
    program.chmod(0o744)
    assert not reachable(program, NOBODY)
    program.chmod(0o755)
    program.parent.chmod(0o700)
    assert not reachable(program, NOBODY)
    assert reachable(program.parent, ServerUser(os.geteuid(), 1, "me"))
    program.parent.chmod(0o070)
    assert reachable(program.parent, ServerUser(12345, program.parent.stat().st_gid, "my group"))


def test_a_home_too_long_for_a_socket_has_a_stand_in(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = fresh_home / ("x" * 90)
    monkeypatch.setenv("DBTRUST_HOME", str(long))
    place = ground()
    assert len(str(place)) < 50
    assert home_of(place) == long
    with Run() as run:
        assert run.folder.parent == place / "runs"
        monkeypatch.setenv("DBTRUST_HOME", str(fresh_home))
        long.rmdir()
        sweep()
        assert run.folder.exists(), "its owner lives"
    sweep()
    assert not place.exists(), "the home is gone, so its stand-in goes too"


def test_a_home_that_the_servers_cannot_enter_has_a_stand_in(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_home.chmod(0o700)
    monkeypatch.setattr(places, "server_user", lambda: NOBODY)
    place = lasting_ground()
    try:
        assert place != fresh_home
        assert place == ground()
        assert place.stat().st_uid == os.geteuid()
    finally:
        shutil.rmtree(place)


def test_a_stand_in_that_somebody_else_made_is_refused(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBTRUST_HOME", str(fresh_home / ("y" * 90)))
    place = ground()
    try:
        place.chmod(0o777)
        with pytest.raises(ServerError, match="made by somebody else"):
            ground()
    finally:
        watchdog.clean(str(place))


def test_no_temporary_folder_at_all(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBTRUST_HOME", str(fresh_home / ("z" * 90)))
    monkeypatch.setattr(places, "_bases", list)
    with pytest.raises(ServerError, match="no temporary folder"):
        ground()
    assert home_of(fresh_home) is None
