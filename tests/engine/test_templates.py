"""Templates: never seen half-made, one builder, pruned by age, copied whole."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from dbtrust.engine import templates
from dbtrust.engine.locks import free, in_use, locked
from dbtrust.engine.templates import building, copy_template, copy_tree, find, once, prune, publish, save
from dbtrust.model.errors import ServerError


def make(home: Path, key: str, content: str = "x") -> Path:
    """A template with one file."""
    built = home / f"built-{content}"
    built.mkdir()
    (built / "data").write_text(content)
    return publish("postgres", key, built)


def test_the_first_template_of_a_key_stays(fresh_home: Path) -> None:
    assert find("postgres", "a/key with: anything\n") is None
    first = make(fresh_home, "a/key with: anything\n", "1")
    assert make(fresh_home, "a/key with: anything\n", "2") == first
    assert find("postgres", "a/key with: anything\n") == first
    assert (first / "data").read_text() == "1"
    assert find("mongo", "a/key with: anything\n") is None


def test_saving_copies_the_named_parts_and_leaves_no_copy_behind(fresh_home: Path) -> None:
    server = fresh_home / "p1"
    (server / "data").mkdir(parents=True)
    (server / "data" / "file").write_text("rows")
    (server / "log").touch()
    saved = save("postgres", "key", server, ["data"])
    assert [path.name for path in saved.iterdir()] == ["data"]
    assert save("postgres", "key", server, ["data"]) == saved
    assert not (fresh_home / "p1t").exists()


def test_a_template_that_cannot_be_moved_is_one_line(fresh_home: Path) -> None:
    with pytest.raises(ServerError, match="cannot be made: No such file"):
        publish("postgres", "key", fresh_home / "absent")


def test_one_builds_and_the_others_wait_and_use_it(fresh_home: Path) -> None:
    built: list[int] = []
    said: list[str] = []

    def work(number: int) -> None:
        with building("postgres", "key", said.append) as found:
            if found is None:
                time.sleep(0.1)
                built.append(number)
                make(fresh_home, "key", str(number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert said
    assert all("waiting for another process" in line for line in said)


def test_a_builder_that_fails_lets_the_next_one_build(fresh_home: Path) -> None:
    with pytest.raises(ServerError), building("postgres", "key") as found:
        assert found is None
        raise ServerError("no")
    with building("postgres", "key") as found:
        assert found is None


def test_copying_keeps_holes_modes_and_names(fresh_home: Path) -> None:
    source, target = fresh_home / "source", fresh_home / "target"
    source.mkdir()
    target.mkdir()
    with (source / "sparse").open("wb") as stream:
        stream.truncate(1 << 30)
    (source / "-rf 'x'\n").touch(mode=0o600)
    copy_tree(sorted(source.iterdir()), target)
    assert (target / "sparse").stat().st_size == 1 << 30
    assert (target / "sparse").stat().st_blocks < 100
    assert (target / "-rf 'x'\n").stat().st_mode & 0o777 == 0o600


def fake_cp(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "cp").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / "cp").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"))


def test_a_full_disk_is_one_line(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = make(fresh_home, "key")
    script = "echo \"cp: error writing 'x': No space left on device\" >&2; exit 1"
    fake_cp(fresh_home, script, monkeypatch)
    with pytest.raises(ServerError, match="the disk is full") as caught:
        copy_template(template, fresh_home)
    assert "larger disk" in caught.value.next


def test_a_system_without_cp_is_one_line(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(os, "defpath", "/nonexistent")
    with pytest.raises(ServerError, match="cp cannot be run"):
        copy_tree([fresh_home], fresh_home)


def test_a_template_that_is_gone_is_one_line(fresh_home: Path) -> None:
    with pytest.raises(ServerError, match="is gone"):
        copy_template(fresh_home / "absent", fresh_home)


def test_pruning_takes_what_nobody_used_for_long(fresh_home: Path) -> None:
    old, new = make(fresh_home, "old", "1"), make(fresh_home, "new", "2")
    with locked(old.with_suffix(".lock")), locked(new.with_suffix(".lock")):
        pass
    os.utime(old, (0, time.time() - 8 * 86_400))
    assert prune(30) == []
    assert prune(7) == [old.name]
    assert not old.exists()
    assert not old.with_suffix(".lock").exists()
    assert new.exists()
    assert new.with_suffix(".lock").exists()


def test_keeping_a_new_one_takes_what_nobody_used_for_a_week(fresh_home: Path) -> None:
    old, recent = make(fresh_home, "old", "1"), make(fresh_home, "recent", "2")
    for folder, days in ((old, 8), (recent, 6)):
        os.utime(folder, (0, time.time() - days * 86_400))
    server = fresh_home / "p1"
    (server / "data").mkdir(parents=True)
    (server / "data/file").write_text("3")
    kept = save("postgres", "new", server, ["data"])
    assert (kept / "data/file").read_text() == "3" and recent.exists() and not old.exists()


def test_what_is_being_copied_stays(fresh_home: Path) -> None:
    template = make(fresh_home, "key")
    with in_use(template):
        assert not free(template)
        assert prune(0, everything=True) == []
    binaries = once(fresh_home / "binaries", "mongod-1", lambda folder: (folder / "mongod").touch())
    assert prune(0, everything=True) == [template.name, binaries.name]


def test_a_template_that_is_found_counts_as_used(fresh_home: Path) -> None:
    template = make(fresh_home, "key")
    os.utime(template, (0, 0))
    find("postgres", "key")
    assert prune(1) == []


def test_half_made_folders_are_never_seen_and_go(fresh_home: Path) -> None:
    parent = fresh_home / "binaries"

    def fail(folder: Path) -> None:
        (folder / "part").touch()
        raise ServerError("no")

    with pytest.raises(ServerError):
        once(parent, "name", fail)
    assert not (parent / "name").exists()
    assert (parent / ".half-name").exists()
    (parent / ".gone-other-1").mkdir()
    with locked(parent / "name.lock"):
        templates.remove_abandoned(parent)
        assert (parent / ".half-name").exists(), "somebody builds it now"
    templates.remove_abandoned(parent)
    assert list(parent.glob(".*-*")) == []
    assert once(parent, "name", lambda folder: None).is_dir()
