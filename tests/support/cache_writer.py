"""A process that uses a cache until it is killed, for the tests of what a kill leaves behind.

usage:  python cache_writer.py churn ROOT SEED     put and get for ever, one dot per put; exit 3 on a torn read
        python cache_writer.py die ROOT POINT      put one entry and be killed at POINT of it
        python cache_writer.py full ROOT           put an entry into a file system that takes 256 KiB per file
        python cache_writer.py fork ROOT           fork ten times while a thread uses the cache
"""

from __future__ import annotations

import functools
import itertools
import os
import random
import resource
import signal
import sys
import threading
import warnings
from pathlib import Path

import numpy as np

from salticid.runtime import cache_store
from salticid.runtime.cache import ArrayCache, cache_key

BOUND = 3 << 20
KEYS = [cache_key(content=b"", parameters={"number": number}, version="writer") for number in range(16)]


def arrays(value, length=25_000):
    return {"value": np.full(length, value, np.float64), "double": np.full(length, 2 * value, np.float64)}


def is_whole(found):
    value = found["value"][0]
    return (found["value"] == value).all() and (found["double"] == 2 * value).all()


def churn(root, seed):
    draw = random.Random(int(seed))
    cache = ArrayCache(root, max_bytes=BOUND)
    for count in itertools.count():
        cache.put(draw.choice(KEYS), arrays(count, draw.randrange(5_000, 40_000)))
        print(".", flush=True)
        found = cache.get(draw.choice(KEYS))
        if found is not None and not is_whole(found):
            sys.exit(3)


def die(root, point):
    cache = ArrayCache(root, max_bytes=BOUND)
    POINTS[point]()
    cache.put(KEYS[-1], arrays(-1, 50_000))


def full(root):
    with ArrayCache(root, max_bytes=BOUND) as cache:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
        kept = cache.put(KEYS[0], arrays(0)), cache.put(KEYS[1], arrays(1, 1_000))
        print(kept, cache.get(KEYS[0]), is_whole(cache.get(KEYS[1])))


def fork(root):
    with ArrayCache(root, max_bytes=BOUND) as cache:
        done = threading.Event()
        thread = threading.Thread(target=use_until, args=(cache, done))
        thread.start()
        statuses = [status_of_child(cache) for _ in range(10)]
        done.set()
        thread.join()
        print(statuses, cache.put(KEYS[0], arrays(0)), is_whole(cache.get(KEYS[0])))


def use_until(cache, done):
    while not done.is_set():
        cache.put(KEYS[1], arrays(1))
        cache.get(KEYS[1])


def status_of_child(cache):
    child = os.fork()
    if not child:
        kept = cache.put(KEYS[2], arrays(2))
        os._exit(0 if kept and is_whole(cache.get(KEYS[2])) else 1)
    _, status = os.waitpid(child, 0)
    return status


def kill_me(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def fill_and_die(share, file, pieces):
    data = b"".join(pieces)
    file.write(data[: int(share * len(data))])
    file.flush()
    kill_me()


def die_after(name):
    work = getattr(Path, name)
    setattr(Path, name, lambda *args, **options: kill_me(work(*args, **options)))


def fill_with(share):
    cache_store._fill = functools.partial(fill_and_die, share)


POINTS = {
    "reserved": lambda: fill_with(0.0),
    "half written": lambda: fill_with(0.5),
    "written": lambda: fill_with(1.0),
    "evicting": lambda: die_after("unlink"),
    "renamed": lambda: die_after("replace"),
}

if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # to fork beside a thread is what one test is about
    {"churn": churn, "die": die, "full": full, "fork": fork}[sys.argv[1]](*sys.argv[2:])
