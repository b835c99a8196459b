from __future__ import annotations

import copy
import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from salticid.errors import InputError, MissingError
from salticid.runtime import cache as module
from salticid.runtime.cache import ArrayCache, cache_key, default_root
from salticid.runtime.cache_store import INDEX_SHARE_BYTES

BOUND = 2 << 20
ROOM = BOUND - INDEX_SHARE_BYTES
KEYS = [cache_key(content=b"", parameters={"number": number}, version="test") for number in range(20)]
DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">f4", ">u2"]


@pytest.fixture
def cache(tmp_path):
    with ArrayCache(tmp_path / "cache", max_bytes=BOUND) as cache:
        yield cache


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with ArrayCache(tmp_path_factory.mktemp("shared"), max_bytes=BOUND) as cache:
        yield cache


def quarter(value=0):
    """Return arrays of which three entries fit into the room of the cache, and not four."""
    return {"value": np.full(ROOM // 4, value, np.uint8)}


def entries(cache):
    return sorted((cache.root / "entries").iterdir())


def layouts(array):
    """Return the same values in other layouts of memory."""
    wide = np.repeat(array[..., None], 2, axis=-1)
    return [array, np.asfortranarray(array), wide[..., 0], array[::-1] if array.ndim else array]


@settings(max_examples=80)
@given(
    st.sampled_from(DTYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    )
)
def test_arrays_of_every_dtype_shape_and_layout_come_back_bit_for_bit(shared, array):
    given_arrays = {str(index): layout for index, layout in enumerate(layouts(array))}
    assert shared.put(KEYS[0], given_arrays)
    found = shared.get(KEYS[0])
    assert found.keys() == given_arrays.keys()
    for name, expected in given_arrays.items():
        assert found[name].shape == expected.shape
        assert found[name].dtype == expected.dtype.newbyteorder("=")
        assert found[name].tobytes() == expected.astype(found[name].dtype).tobytes()
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous


def test_what_was_put_is_found_by_another_process_that_opens_the_cache_later(cache, tmp_path):
    cache.put(KEYS[0], {"disparity_px": np.float32([[1, np.nan]])})
    cache.close()
    with ArrayCache(tmp_path / "cache", max_bytes=BOUND) as again:
        np.testing.assert_array_equal(again.get(KEYS[0])["disparity_px"], np.float32([[1, np.nan]]))


def test_a_cache_that_is_sent_to_a_worker_opens_its_own_index(cache):
    cache.put(KEYS[0], {"a": np.arange(3)})
    with copy.copy(cache) as sent:
        assert sent.get(KEYS[0])["a"][2] == 2
        assert sent._store is not cache._store
        assert (sent.root, sent.max_bytes) == (cache.root, cache.max_bytes)


def test_arrays_that_were_found_are_the_callers_own(cache):
    cache.put(KEYS[0], {"a": np.zeros(3)})
    cache.get(KEYS[0])["a"][:] = 7
    assert (cache.get(KEYS[0])["a"] == 0).all()


def test_an_absent_key_is_none_and_an_empty_entry_is_not(cache):
    assert cache.get(KEYS[0]) is None
    assert cache.put(KEYS[0], {})
    assert cache.get(KEYS[0]) == {}


def test_a_key_that_is_put_again_holds_the_new_arrays_and_one_file(cache):
    for value in (1.0, 2.0, 2.0):
        assert cache.put(KEYS[0], {"a": np.full(100, value)})
    assert cache.get(KEYS[0])["a"][0] == 2.0
    assert len(entries(cache)) == cache.stats().entries == 1


def test_fetch_computes_once(cache):
    calls = []

    def compute():
        calls.append(1)
        return {"a": np.arange(3)}

    first, second = cache.fetch(KEYS[0], compute), cache.fetch(KEYS[0], compute)
    np.testing.assert_array_equal(first["a"], second["a"])
    assert len(calls) == 1
    assert (cache.stats().hits, cache.stats().misses) == (1, 1)


def test_an_error_of_the_computation_passes_through_and_nothing_is_kept(cache):
    with pytest.raises(ZeroDivisionError):
        cache.fetch(KEYS[0], lambda: 1 / 0)
    assert cache.stats().entries == 0


def test_what_was_not_used_for_longest_makes_room(cache):
    for index in range(3):
        assert cache.put(KEYS[index], quarter(index))
    cache.get(KEYS[0])
    assert cache.put(KEYS[3], quarter(3))
    assert [cache.get(key) is not None for key in KEYS[:4]] == [True, False, True, True]
    assert cache.put(KEYS[4], quarter(4))
    assert [cache.get(key) is not None for key in KEYS[:5]] == [False, False, True, True, True]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, ROOM)), max_size=12))
def test_the_bound_holds_on_disk_after_every_write(shared, writes):
    for number, size in writes:
        kept = shared.put(KEYS[number], {"a": np.zeros(size, np.uint8)})
        on_disk = sum(path.stat().st_size for path in shared.root.rglob("*") if path.is_file())
        assert on_disk <= BOUND
        assert shared.stats().bytes == sum(path.stat().st_size for path in entries(shared))
        assert kept or size > ROOM - 200
        assert not kept or shared.get(KEYS[number])["a"].size == size


def test_an_entry_larger_than_the_bound_is_refused_and_evicts_nothing(cache, caplog):
    cache.put(KEYS[0], quarter())
    assert not cache.put(KEYS[1], {"a": np.zeros(ROOM, np.uint8)})
    assert "do not fit" in caplog.text
    assert cache.get(KEYS[0]) is not None


def test_a_lower_bound_evicts_with_the_first_write_and_not_when_somebody_only_looks(cache):
    for index in range(3):
        cache.put(KEYS[index], quarter(index))
    cache.close()
    with ArrayCache(cache.root, max_bytes=1 << 20) as smaller:
        assert smaller.stats().entries == 3
        assert smaller.put(KEYS[3], quarter(3))
        assert sum(path.stat().st_size for path in cache.root.rglob("*") if path.is_file()) <= 1 << 20


@pytest.mark.parametrize("damage", ["flip", "truncate", "extend", "empty"])
def test_a_damaged_file_is_a_miss_and_is_removed(cache, damage, caplog):
    cache.put(KEYS[0], {"a": np.arange(1000)})
    [path] = entries(cache)
    data = path.read_bytes()
    flipped = data[:500] + bytes([data[500] ^ 1]) + data[501:]
    path.write_bytes({"flip": flipped, "truncate": data[:-1], "extend": data + b"\0", "empty": b""}[damage])
    assert cache.get(KEYS[0]) is None
    assert entries(cache) == []
    assert "damaged" in caplog.text
    assert cache.put(KEYS[0], {"a": np.arange(1000)})
    assert cache.get(KEYS[0]) is not None


def test_a_file_that_was_deleted_is_a_miss(cache):
    cache.put(KEYS[0], quarter())
    entries(cache)[0].unlink()
    assert cache.get(KEYS[0]) is None
    assert cache.put(KEYS[0], quarter())
    assert cache.get(KEYS[0]) is not None


def test_a_cache_whose_folder_was_deleted_starts_again(cache):
    cache.put(KEYS[0], quarter())
    for path in sorted(cache.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    cache.root.rmdir()
    assert cache.get(KEYS[0]) is None
    assert cache.put(KEYS[0], quarter())
    assert cache.get(KEYS[0]) is not None


def test_opening_removes_rows_without_files_files_without_rows_and_truncated_files(cache):
    for index in range(3):
        cache.put(KEYS[index], {"a": np.full(100, index)})
    cache.close()
    gone, short, _ = entries(cache)
    gone.unlink()
    short.write_bytes(b"x")
    unknown = short.with_name(f"{KEYS[9]}-{KEYS[9]}.safetensors")
    unknown.write_bytes(b"x")
    with ArrayCache(cache.root, max_bytes=BOUND) as again:
        assert len(entries(again)) == again.stats().entries == 1


def test_opening_leaves_files_that_a_cache_would_not_have_written(tmp_path):
    for folder in ("entries", "partial"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "thesis.tex").write_bytes(b"years of work")
    ArrayCache(tmp_path, max_bytes=BOUND).close()
    assert len(list(tmp_path.rglob("thesis.tex"))) == 2


def test_a_broken_index_is_set_aside_and_the_cache_works_on(cache, caplog):
    cache.put(KEYS[0], quarter())
    cache.close()
    (cache.root / "index.sqlite").write_bytes(b"rubbish" * 1000)
    with ArrayCache(cache.root, max_bytes=BOUND) as again:
        assert "is broken" in caplog.text
        assert again.get(KEYS[0]) is None
        assert entries(again) == []
        assert again.put(KEYS[0], quarter())
        assert again.get(KEYS[0]) is not None


def test_an_index_that_names_a_file_elsewhere_reaches_nothing(cache, tmp_path):
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(b"precious")
    with cache._store._index.transaction() as db:
        db.execute("INSERT INTO entries VALUES (?, '../../../outside', 8, 0)", (KEYS[0],))
    assert cache.get(KEYS[0]) is None
    cache.clear()
    assert outside.read_bytes() == b"precious"
    assert cache.put(KEYS[0], quarter())
    assert cache.get(KEYS[0]) is not None


def test_a_disk_that_is_full_costs_the_entry_and_a_warning(cache, monkeypatch, caplog):
    def disk_full(file, pieces):
        file.write(pieces[0])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cache.put(KEYS[0], quarter())
    monkeypatch.setattr("salticid.runtime.cache_store._fill", disk_full)
    assert cache.put(KEYS[1], quarter()) is False
    assert "No space left on device" in caplog.text
    assert cache.get(KEYS[1]) is None
    assert cache.get(KEYS[0]) is not None
    assert list((cache.root / "partial").iterdir()) == []
    monkeypatch.undo()
    assert cache.put(KEYS[1], quarter())


def test_a_place_that_cannot_be_written_costs_the_cache_and_not_the_work(tmp_path, caplog):
    (tmp_path / "file").write_bytes(b"")
    with ArrayCache(tmp_path / "file" / "cache", max_bytes=BOUND) as cache:
        assert cache.put(KEYS[0], quarter()) is False
        assert cache.get(KEYS[0]) is None
        assert cache.fetch(KEYS[0], lambda: {"a": np.ones(1)})["a"] == 1
        assert cache.stats().entries == 0
        cache.clear()
    assert caplog.text.count("going on without it") >= 5


def test_clear_removes_every_entry(cache):
    for index in range(3):
        cache.put(KEYS[index], {"a": np.zeros(10)})
    cache.clear()
    assert entries(cache) == []
    assert cache.stats().entries == cache.stats().bytes == 0


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "A" * 64, "g" * 64, "0" * 63, "0" * 64 + "\n", None, b"0" * 64]
)
def test_what_is_not_a_key_is_an_input_error(cache, key):
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        cache.get(key)
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        cache.put(key, {})


@pytest.mark.parametrize(
    "value",
    [
        np.array([1, "a"], object),
        np.array(["text"]),
        np.zeros(2, complex),
        np.zeros(2, "V8"),
        np.zeros(2, "M8[s]"),
        np.zeros(2, np.longdouble),
        np.ma.masked_array([1.0], [True]),
        object(),
    ],
)
def test_what_is_not_an_array_of_numbers_is_an_input_error_that_names_it(cache, value):
    with pytest.raises(InputError, match="cost"):
        cache.put(KEYS[0], {"cost": value})
    assert cache.get(KEYS[0]) is None


@pytest.mark.parametrize("name", ["__metadata__", 3, "a\nb", "\ud800", None])
def test_a_name_that_the_file_format_cannot_hold_is_an_input_error(cache, name):
    with pytest.raises(InputError, match="names"):
        cache.put(KEYS[0], {name: np.zeros(1)})


@pytest.mark.parametrize("bound", [0, -1, (1 << 20) - 1])
def test_a_bound_that_holds_little_more_than_the_index_is_an_input_error(tmp_path, bound):
    with pytest.raises(InputError, match="max_bytes"):
        ArrayCache(tmp_path, max_bytes=bound)


@pytest.fixture
def counted(monkeypatch):
    """Count the files that are really read, in a world where ten seconds have passed."""
    reads, real, now = [], module.file_digest, time.time_ns
    monkeypatch.setattr(module, "file_digest", lambda path: reads.append(path) or real(path))
    monkeypatch.setattr(module.time, "time_ns", lambda: now() + 10_000_000_000)
    return reads


def test_a_file_that_did_not_change_is_digested_once(cache, tmp_path, counted):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"frames")
    keys = {cache.key(content=path, parameters={}, version="1") for _ in range(3)}
    assert keys == {cache_key(content=path, parameters={}, version="1")}
    assert counted == [path]


def test_a_file_that_changed_is_digested_again_even_when_size_and_time_of_modification_were_set_back(
    cache, tmp_path, counted
):
    path = tmp_path / "video.mp4"
    path.write_bytes(b"frames")
    before, digest = path.stat(), cache.file_digest(path)
    path.write_bytes(b"FRAMES")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert cache.file_digest(path) != digest
    assert counted == [path, path]


def test_a_file_that_has_just_changed_is_not_trusted_to_stay(cache, tmp_path, counted, monkeypatch):
    monkeypatch.undo()
    path = tmp_path / "video.mp4"
    path.write_bytes(b"frames")
    digest = cache.file_digest(path)
    path.write_bytes(b"FRAMES")
    assert cache.file_digest(path) != digest


def test_remembered_digests_are_bounded(cache):
    for number in range(1_500):
        cache._store.remember_digest(b"%d" % number, "state", bytes(32))
    with cache._store._index.transaction() as db:
        [(count,)] = db.execute("SELECT COUNT(*) FROM digests")
    assert count == 1_024
    assert cache._store.recall_digest(b"1499", "state") == bytes(32)


def test_a_file_that_is_not_there_is_an_input_error(cache, tmp_path):
    with pytest.raises(InputError, match="absent"):
        cache.key(content=tmp_path / "absent", parameters={}, version="1")


def test_the_root_is_taken_from_the_environment_in_order(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SALTICID_CACHE", raising=False)
    assert default_root() == tmp_path / ".cache" / "salticid"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_root() == tmp_path / ".cache" / "salticid"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "salticid"
    monkeypatch.setenv("SALTICID_CACHE", "~/mine")
    assert default_root() == tmp_path / "mine"


def test_a_missing_home_folder_is_an_error_that_names_the_variable(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SALTICID_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", staticmethod(no_home))
    with pytest.raises(MissingError, match="SALTICID_CACHE"):
        default_root()
