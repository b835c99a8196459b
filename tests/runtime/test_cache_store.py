"""What kills, forks and full disks do to a cache that several processes share."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from salticid.runtime.cache import ArrayCache, cache_key
from salticid.runtime.cache_store import INDEX_SHARE_BYTES

WRITER = Path(__file__).parents[1] / "support" / "cache_writer.py"
BOUND = 3 << 20
KEYS = [cache_key(content=b"", parameters={"number": number}, version="writer") for number in range(16)]


def start(*args):
    command = [sys.executable, str(WRITER), *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(*args):
    command = [sys.executable, str(WRITER), *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def bytes_under(root):
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def files_in(root, folder):
    return sorted((root / folder).iterdir())


def fill(root, value=1.0):
    """Put entries of 400 kB until the oldest ones have gone."""
    with ArrayCache(root, max_bytes=BOUND) as cache:
        for key in KEYS[:8]:
            cache.put(key, {"value": np.full(50_000, value)})


def assert_sound(root):
    """Files and index tell the same story, and every entry that is left is whole."""
    with ArrayCache(root, max_bytes=BOUND) as cache:
        entries = files_in(root, "entries")
        assert files_in(root, "partial") == []
        assert cache.stats().entries == len(entries)
        assert cache.stats().bytes == sum(path.stat().st_size for path in entries)
        found = [found for key in KEYS if (found := cache.get(key)) is not None]
        assert len(found) == len(entries)
        assert all((one["value"] == one["value"][0]).all() for one in found)
    assert bytes_under(root) <= BOUND


@pytest.mark.slow
def test_four_writers_killed_twenty_times_leave_no_torn_entry_and_never_exceed_the_bound(tmp_path):
    draw, cut_off = random.Random(7), 0
    for round_ in range(20):
        writers = [start("churn", tmp_path, 4 * round_ + index) for index in range(4)]
        for writer in writers:
            for _ in range(draw.randrange(2, 12)):
                assert writer.stdout.readline() == ".\n"
        for writer in writers:
            writer.kill()
        errors = [writer.communicate(timeout=60)[1] for writer in writers]
        assert errors == [""] * 4
        assert [writer.returncode for writer in writers] == [-signal.SIGKILL] * 4
        assert bytes_under(tmp_path) <= BOUND
        cut_off += len(files_in(tmp_path, "partial"))
        assert_sound(tmp_path)
    assert cut_off > 0, "no kill came in mid-write: the test tests nothing"


@pytest.mark.parametrize("point", ["reserved", "half written", "written", "evicting", "renamed"])
def test_a_kill_at_any_point_of_a_write_leaves_the_old_entries_and_nothing_else(tmp_path, point):
    fill(tmp_path)
    code, _, err = finish("die", tmp_path, point)
    assert (code, err) == (-signal.SIGKILL, "")
    assert bytes_under(tmp_path) <= BOUND
    assert_sound(tmp_path)
    with ArrayCache(tmp_path, max_bytes=BOUND) as cache:
        assert cache.get(KEYS[-1]) is None
        assert cache.get(KEYS[7]) is not None
        assert cache.put(KEYS[-1], {"value": np.zeros(50_000)})


def test_a_reservation_of_a_dead_process_makes_room_without_a_restart(tmp_path):
    with ArrayCache(tmp_path, max_bytes=BOUND) as cache:
        finish("die", tmp_path, "half written")
        assert len(files_in(tmp_path, "partial")) == 1
        assert cache.put(KEYS[0], {"value": np.zeros((BOUND - INDEX_SHARE_BYTES) // 8 - 1_000)})
        assert files_in(tmp_path, "partial") == []


def test_an_entry_that_is_being_written_survives_the_sweep_of_another_process(tmp_path, monkeypatch):
    outcome = []

    def look_while_writing(file, pieces):
        file.write(pieces[0])
        file.flush()
        outcome.append(finish("full", tmp_path)[0])
        file.writelines(pieces[1:])
        file.flush()

    with ArrayCache(tmp_path, max_bytes=BOUND) as cache:
        monkeypatch.setattr("salticid.runtime.cache_store._fill", look_while_writing)
        assert cache.put(KEYS[5], {"value": np.ones(1_000)})
        assert outcome == [0]
        assert cache.get(KEYS[5]) is not None


def test_a_file_system_that_refuses_a_write_costs_the_entry_and_nothing_else(tmp_path):
    code, out, err = finish("full", tmp_path)
    assert (code, out) == (0, "(False, True) None True\n")
    assert "cannot be written" in err
    assert "File too large" in err
    assert_sound(tmp_path)


def test_children_that_were_forked_while_a_thread_used_the_cache_use_it_too(tmp_path):
    code, out, err = finish("fork", tmp_path)
    assert (code, out, err) == (0, f"{[0] * 10} True True\n", "")
    assert_sound(tmp_path)


def test_threads_share_one_cache(tmp_path):
    with ArrayCache(tmp_path, max_bytes=BOUND) as cache:

        def work(seed):
            draw = random.Random(seed)
            for _ in range(30):
                value = draw.random()
                cache.put(draw.choice(KEYS), {"value": np.full(20_000, value)})
                found = cache.get(draw.choice(KEYS))
                assert found is None or (found["value"] == found["value"][0]).all()
            done.append(seed)

        done = []
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(done) == [0, 1, 2, 3]
    assert_sound(tmp_path)
