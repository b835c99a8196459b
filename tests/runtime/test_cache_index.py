from __future__ import annotations

import sqlite3

import pytest

from salticid.runtime.cache_index import CacheIndex


def remember(index, *names):
    with index.transaction() as db:
        for name in names:
            db.execute("INSERT INTO partial VALUES (?, 1)", (name,))


def names(index):
    with index.transaction() as db:
        return sorted(name for (name,) in db.execute("SELECT name FROM partial"))


@pytest.fixture
def opened():
    """Count how often an index was opened."""
    return []


@pytest.fixture
def index(tmp_path, opened):
    index = CacheIndex(tmp_path / "index.sqlite", lambda db: opened.append(db.in_transaction))
    yield index
    index.close()


def test_a_transaction_that_fails_leaves_nothing(index):
    remember(index, "kept")
    with pytest.raises(sqlite3.IntegrityError):
        remember(index, "lost", "lost")
    assert names(index) == ["kept"]


def test_the_hook_runs_once_per_opening_and_inside_a_transaction(index, opened):
    remember(index, "a")
    remember(index, "b")
    assert opened == [True]
    index.close()
    assert names(index) == ["a", "b"]
    assert opened == [True, True]


@pytest.mark.parametrize("rot", [b"not a database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_set_aside(index, tmp_path, rot, caplog):
    path = tmp_path / "index.sqlite"
    path.write_bytes(rot)
    assert names(index) == []
    assert (tmp_path / "index.sqlite.broken").read_bytes() == rot
    assert f"{path} is broken" in caplog.text


def test_pages_that_rot_are_noticed_when_the_index_is_opened(index, tmp_path, caplog):
    for number in range(200):
        remember(index, f"{number:0100}")
    index.close()
    path = tmp_path / "index.sqlite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\xa5" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    assert names(index) == []
    assert "is broken" in caplog.text


def test_an_index_that_rots_while_it_is_open_is_replaced_after_one_error(index, tmp_path):
    for number in range(200):
        remember(index, f"{number:0100}")
    with index.transaction() as db:
        db.execute("PRAGMA cache_size = 0")
    for path in (tmp_path / "index.sqlite", tmp_path / "index.sqlite-wal"):
        path.write_bytes(b"\xa5" * path.stat().st_size)
    with pytest.raises(sqlite3.DatabaseError):
        names(index)
    assert names(index) == []
    remember(index, "new")
    assert names(index) == ["new"]


def test_an_index_of_another_format_is_set_aside(index, tmp_path):
    remember(index, "old")
    with index.transaction() as db:
        db.execute("PRAGMA user_version = 99")
    index.close()
    assert names(index) == []


def test_a_large_broken_file_is_not_kept(index, tmp_path):
    (tmp_path / "index.sqlite").write_bytes(b"x" * (1 << 20))
    assert names(index) == []
    assert not (tmp_path / "index.sqlite.broken").exists()


def test_an_index_that_was_removed_is_made_again(index, tmp_path):
    remember(index, "a")
    for path in tmp_path.iterdir():
        path.unlink()
    assert names(index) == []
    remember(index, "b")
    assert names(index) == ["b"]


def test_two_connections_see_each_others_work(index, tmp_path):
    other = CacheIndex(tmp_path / "index.sqlite", lambda db: None)
    remember(index, "a")
    remember(other, "b")
    assert names(index) == names(other) == ["a", "b"]
    other.close()


def test_the_log_stays_short_under_many_transactions(index, tmp_path):
    for number in range(1_000):
        remember(index, str(number))
    assert (tmp_path / "index.sqlite-wal").stat().st_size < 1 << 18
    assert index.bytes_on_disk() >= sum(path.stat().st_size for path in tmp_path.glob("*sqlite*"))


def test_a_place_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    index = CacheIndex(tmp_path / "file" / "index.sqlite", lambda db: None)
    with pytest.raises(OSError), index.transaction():
        pass


def test_a_folder_in_place_of_the_index_is_an_error_and_stays(index, tmp_path):
    (tmp_path / "index.sqlite").mkdir()
    with pytest.raises(sqlite3.OperationalError), index.transaction():
        pass
    assert (tmp_path / "index.sqlite").is_dir()
