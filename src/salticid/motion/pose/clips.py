"""Several clips at once: one warm process per core, the longest clip first, an answer for every clip.

    for outcome in estimate_clips(["monday.mp4", "tuesday.mp4"], MotionOptions(), capture_fps=240):
        outcome.value if outcome.ok else outcome.error

What is cached, and files of keypoints, are answered here without a process. A worker leaves what it found in the cache,
or without one in a temporary folder, because results of a pool are small; in a small file it says how far it is.
"""

from __future__ import annotations

import functools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from salticid.errors import ResourceError, SalticidError
from salticid.motion.files.read import is_keypoint_file
from salticid.motion.options import MotionOptions
from salticid.motion.pose.clip import Clip
from salticid.motion.pose.estimator import PoseEstimator, check_fps, check_installed, clip_of_keypoints
from salticid.runtime import hardware, pool
from salticid.runtime.cache import DEFAULT_MAX_BYTES, ArrayCache
from salticid.runtime.outcome import Outcome

ClipProgress = Callable[[int, int, int], None]  # number of the clip, frames done, frames in all (0 where unknown)

WORKER_BYTES = 600 << 20  # that one worker takes for video of 4K
_MOST_THREADS = 4  # of one network: more gain little
_TOLD_EVERY_S = 0.2

# A clip that takes longer hangs: the slowest that were seen took a tenth of this.
_LEAST_DEADLINE_S, _LEAST_BYTES_PER_S = 300.0, 10_000.0


@dataclass(frozen=True, slots=True)
class _Job:
    """What a worker needs to know of one clip."""

    path: str
    told: str  # file in which it says how far it is
    threads: int = 1


def estimate_clips(
    paths: Sequence[str | os.PathLike[str]],
    options: MotionOptions,
    *,
    capture_fps: float | None = None,
    workers: int | None = None,
    cache_root: str | os.PathLike[str] | None = None,
    progress: ClipProgress | None = None,
) -> list[Outcome]:
    """Return an outcome for every path, in their order; the value is a `Clip`.

    Parameters
    ----------
    paths
        Videos, or files of keypoints.
    options
        `model` and `person` are used.
    capture_fps
        Frames that were filmed per second, for all clips; see `PoseEstimator.estimate`.
    workers
        Processes; by default one per CPU, fewer where memory is short. 0 computes in this process.
    cache_root
        Folder of an `ArrayCache`; None keeps nothing.
    progress
        Called from a thread of its own about five times a second.

    Raises
    ------
    InputError
        `capture_fps` is not above 0.
    MissingError, IntegrityError
        A model or an extra is not on this machine, or a model's file is damaged.
    """
    check_fps(capture_fps)
    if not all(map(is_keypoint_file, paths)):
        check_installed(options.model)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="salticid-pose-")))
        cache = stack.enter_context(ArrayCache(cache_root or folder / "found", max_bytes=DEFAULT_MAX_BYTES))
        estimator = PoseEstimator(options.model, person=options.person, cache=cache)
        outcomes = [_answered(number, path, estimator, capture_fps) for number, path in enumerate(paths)]
        left = sorted((number for number, outcome in enumerate(outcomes) if outcome is None), key=_size_of(paths))
        jobs = [_Job(os.fspath(paths[number]), f"{folder}/{number}") for number in left]
        stack.enter_context(_telling(dict(zip(left, jobs, strict=True)), progress))
        for number, outcome in zip(left, _computed(jobs, estimator.model, cache, workers), strict=True):
            whole = replace(outcome, index=number, item=paths[number])
            outcomes[number] = _with_clip(whole, estimator, capture_fps) if outcome.ok else whole
    return [outcome for outcome in outcomes if outcome is not None]


def _answered(
    number: int, path: str | os.PathLike[str], estimator: PoseEstimator, capture_fps: float | None
) -> Outcome | None:
    """Return the outcome of a clip that needs no network, or None."""
    start = time.perf_counter()
    clip: Clip | None = None
    try:
        if is_keypoint_file(path):
            clip = clip_of_keypoints(path, capture_fps)
        elif (followed := estimator.cached(path)) is not None:
            clip = estimator.clip(path, followed, capture_fps)
    except SalticidError as error:
        return _failed(Outcome(number, path, "ok", None, None, 1, time.perf_counter() - start, None, "parent"), error)
    if clip is None:
        return None
    return Outcome(number, path, "ok", clip, None, 1, time.perf_counter() - start, None, "parent")


def _failed(outcome: Outcome, error: SalticidError) -> Outcome:
    return replace(outcome, status="error", value=None, error=f"{type(error).__name__}: {error}")


def _size_of(paths: Sequence[str | os.PathLike[str]]) -> Callable[[int], int]:
    """Return the order of the clips: the largest file first, for it takes longest."""
    return lambda number: -_bytes_of(paths[number])


def _bytes_of(path: str | os.PathLike[str]) -> int:
    """Return the size of a file; 0 where it has just gone, which its worker will say."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _computed(jobs: Sequence[_Job], model: str, cache: ArrayCache, workers: int | None) -> Iterator[Outcome]:
    """Yield what became of each job; the value of those that went well lies in the cache."""
    if not jobs:
        return
    if workers is None:
        workers = min(len(jobs), hardware.worker_count(WORKER_BYTES))
    most_bytes = max(_bytes_of(job.path) for job in jobs)
    function = functools.partial(_find_people, model=model, cache=cache)
    deadline_s = _LEAST_DEADLINE_S + most_bytes / _LEAST_BYTES_PER_S
    yield from pool.map(function, _shared_out(jobs, workers), workers=workers, timeout=deadline_s)


def _shared_out(jobs: Sequence[_Job], workers: int) -> list[_Job]:
    """Return the jobs with their threads: a worker's share of the CPUs, and more in a last round with fewer jobs."""
    last = len(jobs) % workers if workers else 0
    shares = [_share(workers)] * (len(jobs) - last) + [_share(last)] * last
    return [replace(job, threads=share) for job, share in zip(jobs, shares, strict=True)]


def _share(workers: int) -> int:
    return max(1, min(_MOST_THREADS, hardware.cpu_count() // max(1, workers)))


def _find_people(job: _Job, *, model: str, cache: ArrayCache) -> None:
    """Put the people of one clip into the cache; runs in a worker."""
    estimator = _warm(model, job.threads, os.fspath(cache.root), cache.max_bytes)
    estimator.followed(job.path, _Teller(job.told))
    if estimator.cached(job.path) is None:
        raise ResourceError(
            f"what was found in {job.path} could not be kept in {cache.root}: free some space, or cut it"
        )


@functools.lru_cache(maxsize=1)
def _warm(model: str, threads: int, root: str, max_bytes: int) -> PoseEstimator:
    """Return this process's estimator, whose networks stay loaded from clip to clip; the last one alone is kept."""
    return PoseEstimator(model, threads=threads, cache=ArrayCache(root, max_bytes=max_bytes))


class _Teller:
    """Writes into a file how far a clip is, some times a second."""

    def __init__(self, path: str) -> None:
        self._path, self._last_s = Path(path), 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take note of the frames done and in all."""
        now_s = time.monotonic()
        if done >= total or now_s - self._last_s > _TOLD_EVERY_S:
            self._last_s = now_s
            with suppress(OSError):  # a full disk: the work goes on, and is told less about
                self._path.write_text(f"{done:12d}{total:12d}")


@contextmanager
def _telling(jobs: Mapping[int, _Job], progress: ClipProgress | None) -> Iterator[None]:
    """Pass on what the workers say while the with block runs, and what they said last at its end."""
    if progress is None:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_tell, args=(jobs, progress, ended), name="salticid-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _tell(jobs: Mapping[int, _Job], progress: ClipProgress, ended: threading.Event) -> None:
    said: dict[int, list[int]] = {}
    while True:
        last = ended.wait(_TOLD_EVERY_S)
        for number, job in jobs.items():
            counts = _counts(Path(job.told))
            if len(counts) == 2 and counts != said.get(number):
                said[number] = counts
                progress(number, *counts)
        if last:
            return


def _counts(path: Path) -> list[int]:
    """Return what a worker wrote; fewer numbers while it is about to."""
    try:
        return [int(word) for word in path.read_text().split()]
    except FileNotFoundError:
        return []


def _with_clip(outcome: Outcome, estimator: PoseEstimator, capture_fps: float | None) -> Outcome:
    """Return the outcome of a worker with the clip that it left in the cache."""
    try:
        followed = estimator.cached(outcome.item)
        if followed is None:
            raise ResourceError(f"what was found in {outcome.item} is no longer in the cache: run it again")
        return replace(outcome, value=estimator.clip(outcome.item, followed, capture_fps))
    except SalticidError as error:  # the file has gone or changed meanwhile
        return _failed(outcome, error)
