"""`RealtimeSegmentation`: the name and the calls of the first documents, beside `Segmenter`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Literal

from salticid.core.types import Image
from salticid.errors import InputError
from salticid.segment.infer import MODEL, Segmenter
from salticid.segment.record import write_video
from salticid.segment.result import Segmentation
from salticid.segment.stream import SegmentStream, StreamFrame, StreamReport, StreamSource

Backend = Literal["auto", "onnx", "onnxruntime", "openvino"]

ENGINES = {"auto": "auto", "onnx": "onnxruntime", "onnxruntime": "onnxruntime", "openvino": "openvino"}


class RealtimeSegmentation:
    """A `Segmenter` under its documented name.

    Parameters
    ----------
    model_path
        Path or name of a network.
    backend
        "onnx" (also "onnxruntime"), "openvino" or "auto".
    device
        auto, cpu, cuda or cuda:N.

    Raises
    ------
    InputError, MissingError, IntegrityError, ResourceError
        See `salticid.segment.infer.Segmenter`.
    """

    def __init__(
        self, model_path: str | os.PathLike[str] = MODEL, backend: Backend = "auto", device: str = "auto"
    ) -> None:
        if backend not in ENGINES:
            raise InputError(f"backend must be one of {', '.join(ENGINES)}, not {backend!r}")
        self.segmenter = Segmenter(model_path, engine=ENGINES[backend], device=device)

    def infer(self, image: Image) -> Segmentation:
        """Label one image, (H, W, 3) RGB or (H, W) gray uint8."""
        return self.segmenter(image)

    def infer_video(
        self,
        source: StreamSource,
        output: str | os.PathLike[str] | None = None,
        *,
        opacity: float = 0.5,
        overwrite: bool = False,
        on_frame: Callable[[StreamFrame], None] | None = None,
    ) -> StreamReport:
        """Label a video, a camera or frames to their end, and return how it went.

        Parameters
        ----------
        source
            See `salticid.segment.sources.open_source`.
        output
            A video to write: the frames, tinted in the colors of their classes. None: none is written.
        opacity
            Of the colors, 0..1.
        overwrite
            Replace `output` when it exists.
        on_frame
            Is called with each frame.

        Raises
        ------
        SalticidError
            Whatever is wrong with source, network or output.
        """
        with self.segmenter.frames(source) as stream:
            frames = _shown(stream, on_frame)
            if output is None:
                for _ in frames:
                    pass
            else:
                pictures = ((frame.result.overlay(frame.image, opacity), frame.time_s) for frame in frames)
                write_video(pictures, output, fps=stream.fps, overwrite=overwrite, clock=stream.clock)
        return stream.report


def _shown(stream: SegmentStream, on_frame: Callable[[StreamFrame], None] | None) -> Iterator[StreamFrame]:
    for frame in stream:
        if on_frame is not None:
            on_frame(frame)
        yield frame
