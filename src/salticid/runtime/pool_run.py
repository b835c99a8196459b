"""The supervisor of one `pool.map` call: who waits, who works, what is done.

One thread per worker keeps a process alive, takes jobs for it and waits; the conductor starts the threads, and watches
all processes for deadlines and memory. The caller's thread only waits for outcomes, or does the work when there is no
worker left.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.runtime.attempt import Attempt, Status
from salticid.runtime.journal import Journal
from salticid.runtime.outcome import Outcome, Ran
from salticid.runtime.pool_process import WorkerProcess
from salticid.runtime.pool_worker import attempt

WATCH_SECONDS = 0.05
PROBE_SECONDS = 5.0  # patience with the first item before its memory so far has to do as the measure
START_TRIES = 2
LEAST_BUDGET_BYTES = 256 << 20  # on a full machine the kernel judges better than we do

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """One item on its way."""

    index: int
    item: Any
    key: str  # in the journal
    attempts: int = 0
    ran: Ran = "worker"
    death: Attempt | None = None  # the attempt that cost a worker its life: such an item must not run in this process


@dataclass(frozen=True, slots=True)
class Limits:
    """What an attempt may take, and what happens when it took too much."""

    timeout: float | None
    retries: int
    retry_on: frozenset[Status]
    peak_bytes: int | None
    memory_bytes: int  # that all workers together may plan with

    def budget_bytes(self, workers: int) -> int:
        """Return the memory that each of `workers` may take."""
        if self.peak_bytes is not None:
            return self.peak_bytes
        return max(LEAST_BUDGET_BYTES, self.memory_bytes // max(1, workers))

    def allow_another(self, job: Job, done: Attempt) -> bool:
        """Return whether `job` is to be tried again after it ended as `done`."""
        return done.status in self.retry_on and job.attempts <= self.retries


class Run:
    """The state of one call; `_changed` guards what the worker threads share.

    The caller's thread never takes that lock: an interrupt (Ctrl-C) that comes while it is being taken could leave it
    taken for ever. It only reads its mail, rings a bell and sets a flag.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        jobs: list[Job],
        limits: Limits,
        journal: Journal | None,
        most_workers: int,
    ) -> None:
        self.jobs = jobs
        self._function = function
        self._limits = limits
        self._journal = journal
        self._most_workers = most_workers
        self._ready: dict[int, Outcome] = {}  # the caller's own
        self._mail: SimpleQueue[Outcome | Job | InputError] = SimpleQueue()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._conductor: threading.Thread | None = None
        self._stopped = False
        self._changed = threading.Condition()
        self._fresh: deque[Job] = deque()
        self._again: deque[Job] = deque()
        self._busy = 0
        self._alone = False  # a retry has the machine to itself
        self._serving = 0  # worker threads
        self._scaled = False  # the number of workers is settled
        self._threads: list[threading.Thread] = []
        self._processes: list[WorkerProcess] = []

    def start(self, workers: int) -> None:
        """Take over what the journal holds, then serve the rest with `workers` workers to begin with."""
        for job in self.jobs:
            if self._journal is not None and job.key in self._journal:
                value = self._journal.value(job.key)
                self._ready[job.index] = Outcome(job.index, job.item, "ok", value, None, 0, 0.0, None, "journal")
            else:
                self._fresh.append(job)
        self._scaled = workers == self._most_workers
        try:
            self._conductor = self._launch(lambda: self._conduct(workers))
        except RuntimeError as problem:
            _log.warning("the pool gets no thread: %s", problem)
            self._hand_over()

    def wait_for(self, job: Job) -> Outcome:
        """Return the outcome of `job`; the work is done here when no worker is left to do it.

        Raises
        ------
        InputError
            The workers cannot load the function.
        """
        while job.index not in self._ready:
            message = self._mail.get()
            if isinstance(message, InputError):
                raise message
            outcome = self._run_here(message) if isinstance(message, Job) else message
            self._ready[outcome.index] = outcome
        return self._ready.pop(job.index)

    def stop(self) -> None:
        """End every worker and thread; what is not done stays undone."""
        self._stopped = True
        self._bell.put(None)
        if self._conductor is not None:
            self._conductor.join()
        if self._journal is not None:
            self._journal.close()

    def _run_here(self, job: Job) -> Outcome:
        """Do `job` in the calling process, unless it is one that kills."""
        if job.death is not None:
            return _outcome(job, job.death)
        if self._most_workers:
            _log.warning("no pool worker is left: item %d runs in the calling process, without a deadline", job.index)
        job.ran = "parent"
        while True:
            job.attempts += 1
            try:
                done = attempt(self._function, job.item)
            except SystemExit as leaving:
                done = Attempt("crash", None, f"it asked the program to exit ({leaving.code!r})", 0.0)
            done = self._journalled(job, done)
            if not self._limits.allow_another(job, done):
                return _outcome(job, done)

    def _conduct(self, workers: int) -> None:
        """Be the thread that starts the workers, looks after their processes, and ends them."""
        with self._changed:
            self._add_workers(workers)
            if not self._serving:
                self._hand_over()
        while self._serving and not self._stopped:
            self._look_after(self._processes[:])
            with suppress(Empty):
                self._bell.get(timeout=WATCH_SECONDS)
        with self._changed:
            idle = not self._busy and all(process.ready for process in self._processes)
            abandoned = [] if idle else self._processes[:]
            self._changed.notify_all()
        for process in abandoned:
            process.kill()
        for thread in self._threads:
            thread.join()

    def _look_after(self, processes: list[WorkerProcess]) -> None:
        for process in processes:
            process.watch()
        if any(process.busy_seconds > PROBE_SECONDS for process in processes):
            with self._changed:
                self._scale(max(process.highest_bytes for process in processes))

    def _launch(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name="salticid-pool", daemon=True)
        thread.start()
        return thread

    def _add_workers(self, count: int) -> None:
        for _ in range(min(count, len(self._fresh))):
            try:
                self._threads.append(self._launch(self._serve))
            except RuntimeError as problem:
                _log.warning("a pool worker could not be started: %s", problem)
                return
            self._serving += 1

    def _hand_over(self) -> None:
        """Give what is left to the calling process: there is no worker any more."""
        self._scaled = True
        for job in (*self._fresh, *self._again):
            self._mail.put(job)
        self._fresh.clear()
        self._again.clear()

    def _serve(self) -> None:
        """Be one worker's thread: have a process, take a job for it, conclude, until nothing is left.

        The process comes first, so that no job waits for a start while another worker is idle.
        """
        process: WorkerProcess | None = None
        try:
            while self._wait_for_work() and (process := self._living(process)) is not None:
                job = self._take()
                if job is not None:
                    self._attempt(job, process)
        except InputError as problem:  # what one worker cannot load no worker can
            self._mail.put(problem)
        finally:
            if process is not None:
                self._dismiss(process)
            with self._changed:
                self._serving -= 1
                if not self._serving:
                    self._hand_over()
                self._changed.notify_all()

    def _attempt(self, job: Job, process: WorkerProcess) -> None:
        try:
            done = process.run(job.item, timeout=self._limits.timeout, budget_bytes=self._budget_bytes())
            done = self._journalled(job, done)
        except Exception as problem:  # noqa: BLE001 - a job that was taken has to be concluded, or all wait for ever
            _log.exception("a pool worker's answer could not be handled")
            done = Attempt("error", None, f"its answer could not be handled: {problem!r}", 0.0)
            process.kill()
        self._conclude(job, done)

    def _budget_bytes(self) -> int:
        """Return what the next attempt may take: all there is when nothing runs beside it."""
        with self._changed:
            return self._limits.budget_bytes(self._most_workers if self._scaled and not self._alone else 1)

    def _wait_for_work(self) -> bool:
        """Return whether there is a job that nobody has; False when there will be no more."""
        with self._changed:
            while not (self._fresh or self._again) and self._busy and not self._stopped:
                self._changed.wait()
            return bool(self._fresh or self._again) and not self._stopped

    def _take(self) -> Job | None:
        """Return the next job for a worker; None when there will be no more."""
        with self._changed:
            while not self._stopped:
                if self._fresh and not self._alone:
                    return self._hand_out(self._fresh.popleft())
                if self._again and not self._busy:
                    self._alone = True
                    return self._hand_out(self._again.popleft())
                if not self._fresh and not self._busy:
                    return None
                self._changed.wait()
            return None

    def _hand_out(self, job: Job) -> Job:
        self._busy += 1
        job.ran = "alone" if self._alone else "worker"
        return job

    def _living(self, process: WorkerProcess | None) -> WorkerProcess | None:
        """Return `process` if it lives, a new one if not, None when none can be started."""
        if process is not None and process.alive:
            return process
        if process is not None:
            self._dismiss(process)
        for _ in range(START_TRIES):
            if self._stopped:
                break
            try:
                return self._start_process()
            except (ResourceError, OSError, RuntimeError) as problem:
                if not self._stopped:
                    _log.warning("a pool worker could not be started: %s", problem)
        return None

    def _start_process(self) -> WorkerProcess:
        process = WorkerProcess(max(1, hardware.cpu_count() // self._most_workers))
        with self._changed:
            self._processes.append(process)
        try:
            if self._stopped:
                raise ResourceError("the call was closed meanwhile")
            process.introduce(self._function)
        except (InputError, ResourceError):
            self._dismiss(process)
            raise
        return process

    def _dismiss(self, process: WorkerProcess) -> None:
        process.close()
        with self._changed:
            if process in self._processes:  # not one that died, and whose successor could not be started
                self._processes.remove(process)

    def _journalled(self, job: Job, done: Attempt) -> Attempt:
        """Put a good value on disk before anybody hears of it."""
        if self._journal is None or done.status != "ok":
            return done
        try:
            return done._replace(value=self._journal.record(job.key, done.value))
        except InputError as problem:
            return done._replace(status="error", value=None, error=str(problem))

    def _conclude(self, job: Job, done: Attempt) -> None:
        """Settle what an attempt in a worker means: an outcome, or another try at the end."""
        job.attempts += 1
        if done.status in ("crash", "timeout", "oom"):
            job.death = done
        with self._changed:
            self._busy -= 1
            self._alone = False
            if self._limits.allow_another(job, done):
                self._again.append(job)
            else:
                self._mail.put(_outcome(job, done))
            self._scale(done.peak_bytes)
            self._changed.notify_all()

    def _scale(self, peak_bytes: int | None) -> None:
        """Now that one item's memory is known, start as many workers as fit."""
        if self._scaled:
            return
        self._scaled = True
        fitting = self._limits.memory_bytes // max(1, peak_bytes or 1)
        self._most_workers = max(1, min(self._most_workers, fitting))
        if not self._stopped:
            self._add_workers(self._most_workers - self._serving)


def _outcome(job: Job, done: Attempt) -> Outcome:
    return Outcome(
        index=job.index,
        item=job.item,
        status=done.status,
        value=done.value,
        error=done.error,
        attempts=job.attempts,
        seconds=done.seconds,
        peak_bytes=done.peak_bytes,
        ran=job.ran,
    )
