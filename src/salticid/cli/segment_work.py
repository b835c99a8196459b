"""How `salticid segment` does its jobs: one warm network, pictures and labels written as they come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from salticid.cli.inputs import ended_by_ctrl_c, read_stdin
from salticid.cli.output import Output
from salticid.cli.segment_plan import Job
from salticid.errors import ResourceError, SalticidError

if TYPE_CHECKING:
    from salticid.core.types import Image
    from salticid.segment.infer import Segmenter
    from salticid.segment.result import Segmentation
    from salticid.segment.stream import SegmentStream, StreamFrame


class Work:
    """One warm network for all jobs, and what became of them."""

    def __init__(
        self,
        segmenter: Segmenter,
        groups: dict[str, list[str]],
        opacity: float,
        seconds: float | None,
        overwrite: bool,
        out: Output,
    ) -> None:
        self.segmenter, self._groups, self._out = segmenter, groups, out
        self._opacity, self._seconds, self._overwrite = opacity, seconds, overwrite
        self.done: list[dict[str, Any]] = []
        self.failed: list[tuple[Job, SalticidError]] = []
        self.frames = 0

    def do(self, jobs: list[Job]) -> None:
        """Do all jobs: first the images, which go through as one stream."""
        images = [job for job in jobs if job.kind == "image"]
        if images:
            self._images(images)
        for job in jobs:
            if job.kind == "stdin":
                self._standard_input(job)
            elif job.moving:
                self._stream(job)

    def _images(self, jobs: list[Job]) -> None:
        """Label image files; one that is broken is noted, and the next one comes."""
        with self.segmenter.frames([job.path for job in jobs]) as stream:
            frames = self._out.progress(stream, len(jobs), "images") if len(jobs) > 1 else iter(stream)
            for job, frame in zip(jobs, frames, strict=True):
                if frame.error is not None:
                    self.failed.append((job, frame.error))
                    continue
                with self._noting(job):
                    self._save_image(job, frame.image, frame.result)

    def _standard_input(self, job: Job) -> None:
        """Label the image on standard input."""
        from salticid.core.image import read_image

        with self._noting(job):
            image = read_image(read_stdin())
            self._save_image(job, image, self.segmenter(image))

    def _stream(self, job: Job) -> None:
        """Label a video or what a camera sees."""
        from salticid.segment.record import write_video

        with self._noting(job), self.segmenter.frames(job.source) as stream, _kept_at_ctrl_c(stream):
            shares: list[dict[str, float]] = []
            pictures = self._pictures(job, stream, shares)
            if job.overlay:
                write_video(pictures, job.overlay, fps=stream.fps, overwrite=self._overwrite, clock=stream.clock)
            else:
                for _ in pictures:
                    pass
            report = stream.report
            self.frames += len(shares)
            entry = {"frames": len(shares), "dropped": report.dropped, "fps": report.fps}
            means = {name: sum(share[name] for share in shares) / len(shares) for name in shares[0]} if shares else {}
            self._finish(job, means, report.latency_ms, entry)

    def _pictures(
        self, job: Job, stream: SegmentStream, shares: list[dict[str, float]]
    ) -> Iterator[tuple[Image, float]]:
        """Write the labels of each frame where they are wanted, and yield its overlay and its time."""
        for frame in self._limited(stream):
            result = frame.result.merged(self._groups)
            shares.append(result.share)
            if job.labels:
                with stream.clock("write"):
                    result.save(job.labels / f"{frame.index:06d}.png", overwrite=self._overwrite)
            if job.overlay:
                with stream.clock("draw"):
                    picture = result.overlay(frame.image, self._opacity)
                yield picture, frame.time_s

    def _limited(self, stream: SegmentStream) -> Iterator[StreamFrame]:
        frames = self._out.progress(stream, stream.count, "frames") if stream.count else iter(stream)
        first_s = None
        for frame in frames:
            first_s = frame.time_s if first_s is None else first_s
            if self._seconds is not None and frame.time_s - first_s >= self._seconds:
                stream.close()
                return
            yield frame

    def _save_image(self, job: Job, image: Image, result: Segmentation) -> None:
        from salticid.core.image import write_image

        merged = result.merged(self._groups)
        if job.labels:
            merged.save(job.labels, overwrite=self._overwrite)
        if job.overlay:
            write_image(job.overlay, merged.overlay(image, self._opacity), overwrite=self._overwrite)
        self.frames += 1
        self._finish(job, merged.share, dict(result.latency_ms), {})

    def _finish(self, job: Job, share: dict[str, float], latency_ms: dict[str, float], more: dict[str, Any]) -> None:
        entry = {"input": job.name, "files": job.targets, "share": share, "latency_ms": latency_ms}
        self.done.append(entry | more)

    @contextmanager
    def _noting(self, job: Job) -> Iterator[None]:
        """Note what is wrong with one input; a full disk would be the same for the next one."""
        try:
            yield
        except ResourceError:
            raise
        except SalticidError as problem:
            self.failed.append((job, problem))


def _kept_at_ctrl_c(stream: SegmentStream) -> AbstractContextManager[None]:
    """Let Ctrl-C end a live stream as its end would; files end by themselves."""
    return ended_by_ctrl_c(stream.stop) if stream.live else nullcontext()
