"""The supervisor of one `pool.map` call: who waits, who works, what is done.

One thread per worker takes jobs and waits for its process; one more watches all processes for deadlines and memory.
The caller's thread only waits for outcomes, or does the work itself when there is no worker left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.runtime.journal import Journal
from salticid.runtime.outcome import Attempt, Outcome, Ran, Status
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


class Run:
    """The state of one call; `_changed` guards all of it."""

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
        self._changed = threading.Condition()
        self._fresh = deque(jobs)
        self._again: deque[Job] = deque()
        self._done: dict[int, Outcome] = {}
        self._busy = 0
        self._alone = False  # a retry has the machine to itself
        self._serving = 0  # worker threads
        self._stopped = False
        self._refusal: InputError | None = None  # no worker can do this work
        self._scaled = False  # the number of workers is settled
        self._threads: list[threading.Thread] = []
        self._processes: list[WorkerProcess] = []

    def start(self, workers: int) -> None:
        """Take over what the journal holds, then serve the rest with `workers` workers to begin with."""
        self._take_over_journal()
        self._scaled = workers == self._most_workers
        with self._changed:
            self._add_workers(workers)
        self._launch(self._watch)

    def wait_for(self, job: Job) -> Outcome:
        """Return the outcome of `job`; the work is done here when no worker is left to do it.

        Raises
        ------
        InputError
            The workers cannot load the function.
        """
        with self._changed:
            while job.index not in self._done and self._serving and self._refusal is None:
                self._changed.wait()
        if self._refusal is not None:
            raise self._refusal
        while job.index not in self._done:
            self._run_here()
        return self._done.pop(job.index)

    def stop(self) -> None:
        """End every worker and thread; what is not done stays undone."""
        with self._changed:
            self._stopped = True
            abandoned = self._processes[:] if self._busy else []
            self._changed.notify_all()
        for process in abandoned:
            process.kill()
        for thread in self._threads:
            thread.join()
        if self._journal is not None:
            self._journal.close()

    def _take_over_journal(self) -> None:
        for job in self.jobs:
            if self._journal is not None and job.key in self._journal:
                value = self._journal.value(job.key)
                self._done[job.index] = Outcome(job.index, job.item, "ok", value, None, 0, 0.0, None, "journal")
        self._fresh = deque(job for job in self.jobs if job.index not in self._done)

    def _launch(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name="salticid-pool", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _add_workers(self, count: int) -> None:
        for _ in range(min(count, len(self._fresh))):
            try:
                self._launch(self._serve)
            except RuntimeError as problem:
                _log.warning("a pool worker could not be started: %s", problem)
                return
            self._serving += 1

    def _serve(self) -> None:
        """Be one worker's thread: take a job, have the process do it, conclude, until nothing is left."""
        process: WorkerProcess | None = None
        try:
            while (job := self._take()) is not None:
                process = self._living(process)
                if process is None:
                    self._put_back(job)
                    break
                self._attempt(job, process)
        except InputError as problem:
            self._refuse(problem)
        finally:
            if process is not None:
                self._dismiss(process)
            with self._changed:
                self._serving -= 1
                self._changed.notify_all()

    def _attempt(self, job: Job, process: WorkerProcess) -> None:
        try:
            done = process.run(job.item, timeout=self._limits.timeout, budget_bytes=self._budget_bytes())
            done = self._journalled(job, done)
        except Exception as problem:  # noqa: BLE001 - a job that was taken has to be concluded, or the others wait for ever
            _log.exception("a pool worker's answer could not be handled")
            done = Attempt("error", None, f"its answer could not be handled: {problem!r}", 0.0)
            process.kill()
        self._conclude(job, done)

    def _refuse(self, problem: InputError) -> None:
        """End the call: what one worker cannot load no worker can."""
        with self._changed:
            self._refusal = problem
            self._stopped = True
            self._changed.notify_all()

    def _budget_bytes(self) -> int:
        """Return what the next attempt may take: all there is when nothing runs beside it."""
        with self._changed:
            return self._limits.budget_bytes(self._most_workers if self._scaled and not self._alone else 1)

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

    def _put_back(self, job: Job) -> None:
        with self._changed:
            (self._again if self._alone else self._fresh).appendleft(job)
            self._busy -= 1
            self._alone = False
            self._changed.notify_all()

    def _living(self, process: WorkerProcess | None) -> WorkerProcess | None:
        """Return `process` if it lives, a new one if not, None when none can be started."""
        if process is not None and process.alive:
            return process
        if process is not None:
            self._dismiss(process)
        for _ in range(START_TRIES):
            try:
                return self._start_process()
            except (ResourceError, OSError, RuntimeError) as problem:
                if not self._stopped:
                    _log.warning("a pool worker could not be started: %s", problem)
        return None

    def _start_process(self) -> WorkerProcess:
        threads = max(1, hardware.cpu_count() // self._most_workers)
        process = WorkerProcess(threads)
        with self._changed:
            self._processes.append(process)
            stopped = self._stopped
        try:
            if stopped:
                raise ResourceError("the call was closed meanwhile")
            process.introduce(self._function)
        except (InputError, ResourceError):
            self._dismiss(process)
            raise
        return process

    def _dismiss(self, process: WorkerProcess) -> None:
        process.close()
        with self._changed:
            self._processes.remove(process)

    def _conclude(self, job: Job, done: Attempt) -> None:
        """Settle what an attempt means: an outcome, on disk first, or another try at the end."""
        job.attempts += 1
        if done.status in ("crash", "timeout") or (done.status == "oom" and job.ran != "parent"):
            job.death = done
        with self._changed:
            self._busy -= job.ran != "parent"
            self._alone = False
            if done.status in self._limits.retry_on and job.attempts <= self._limits.retries and not self._stopped:
                self._again.append(job)
            else:
                self._settle(job, done)
            self._scale(done.peak_bytes)
            self._changed.notify_all()

    def _journalled(self, job: Job, done: Attempt) -> Attempt:
        if self._journal is None or done.status != "ok":
            return done
        try:
            return replace(done, value=self._journal.record(job.key, done.value))
        except InputError as problem:
            return replace(done, status="error", value=None, error=str(problem))

    def _settle(self, job: Job, done: Attempt) -> None:
        self._done[job.index] = Outcome(
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

    def _scale(self, peak_bytes: int | None) -> None:
        """Now that one item's memory is known, start as many workers as fit."""
        if self._scaled:
            return
        self._scaled = True
        fitting = self._limits.memory_bytes // max(1, peak_bytes or 1)
        self._most_workers = max(1, min(self._most_workers, fitting))
        if not self._stopped:
            self._add_workers(self._most_workers - self._serving)

    def _watch(self) -> None:
        """Be the thread that looks after every process until the call ends."""
        while True:
            with self._changed:
                if self._stopped:
                    return
                processes = self._processes[:]
                if any(process.busy_seconds > PROBE_SECONDS for process in processes):
                    self._scale(max(process.highest_bytes for process in processes))
            for process in processes:
                process.watch()
            time.sleep(WATCH_SECONDS)

    def _run_here(self) -> None:
        """Do the next job in this process, unless it is one that kills."""
        with self._changed:
            self._scaled = True  # nobody joins any more
            job = self._fresh.popleft() if self._fresh else self._again.popleft()
            if job.death is not None:
                self._settle(job, job.death)
                return
        if self._most_workers:
            _log.warning("no pool worker is left: item %d runs in the calling process, without a deadline", job.index)
        job.ran = "parent"
        try:
            done = attempt(self._function, job.item)
        except SystemExit as leaving:
            done = Attempt("crash", None, f"it asked the program to exit ({leaving.code!r})", 0.0)
        self._conclude(job, self._journalled(job, done))
