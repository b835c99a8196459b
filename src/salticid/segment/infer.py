"""Segmentation: an image in, the class of every pixel out.

    segmenter = Segmenter("fastseg-camvid")
    result = segmenter(image)

A network is loaded once and used many times, for images of any size and by several threads at once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from salticid.core.image import resize
from salticid.core.image_labels import resize_labels
from salticid.core.types import Array, Image
from salticid.errors import InputError, ResourceError
from salticid.runtime import hardware
from salticid.runtime.clock import StageClock
from salticid.runtime.tiles import apply_exact
from salticid.segment.network_file import LOGITS, LOGITS_STRIDE, open_network
from salticid.segment.options import SegmentOptions
from salticid.segment.prepare import Preparer, check_image, reduced_size, rounded_up
from salticid.segment.result import Segmentation
from salticid.segment.upsample import upsample_argmax

if TYPE_CHECKING:
    from torch import nn

    from salticid.segment.stream import SegmentStream, StreamSource

MODEL = "fastseg-camvid"

HALO_PX = 128  # that a tile sees around itself

# What a network takes in memory, at least: measured with FastSegNet, 45 in onnxruntime and 100 in OpenVINO.
BYTES_PER_PIXEL = 100
NEVER_TOO_MUCH = 200_000_000  # bytes: up to 2 megapixels nobody asks how much is free, which takes a while


# Of the labels: a thread for fewer takes as long to start as it saves, and waits for a core that others may have.
PIXELS_PER_THREAD = 500_000


class Segmenter:
    """Labels images; holds the network and the memory of its input."""

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | nn.Module = MODEL,
        *,
        names: Sequence[str] | None = None,
        profile: str = "quality",
        **options: Any,
    ) -> None:
        """Load a network.

        Parameters
        ----------
        model
            Name of a card, path of an .onnx or .xml file, the bytes of an ONNX file, or a torch module in evaluation
            mode. See `salticid.segment.network_file` for what it has to take and give.
        names
            Of the classes; by default those that the file tells, or "class 0" and so on where it tells none.
        profile
            speed, quality or memory: a row of `SegmentOptions.PROFILES`.
        options
            Any field of `SegmentOptions`: engine, device, threads, precision, long_side_px, tile_px.

        Raises
        ------
        InputError
            The model is no segmentation network, or an option is unknown or has a value that is not allowed.
        MissingError
            The model, the engine, the device or the precision is not on this machine.
        IntegrityError, ResourceError
            The file is damaged; there is not enough memory.
        """
        self.options = SegmentOptions.profile(profile).replace(**options)
        self.threads = self.options.threads or hardware.threads()
        self._network = open_network(
            model,
            names,
            engine=self.options.engine,
            device=self.options.device,
            threads=self.threads,
            precision=self.options.precision,
        )
        self.names = self._network.names
        self._prepare = Preparer(self._network.stride)

    @property
    def engine(self) -> str:
        """Who computes."""
        return self._network.session.engine

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._network.session.device

    def __call__(self, image: Image) -> Segmentation:
        """Label one image.

        Parameters
        ----------
        image
            (H, W, 3) RGB or (H, W) gray, uint8, from one pixel on.

        Returns
        -------
        Segmentation
            Its labels have the size of the image.

        Raises
        ------
        InputError
            The image is no such array.
        ResourceError
            Memory does not hold what the network needs for it; the message says what to do.
        """
        check_image(image)
        clock = StageClock()
        with clock("prepare"):
            view = self._reduced(image)
        tile = self.options.tile_px
        self._check_memory(*(min(side, tile + 2 * HALO_PX) if tile else side for side in view.shape[:2]))
        if tile:
            labels = apply_exact(
                lambda part: self._labels(part, clock), view, tile=tile, halo=HALO_PX, align=self._network.stride
            )
        else:
            labels = self._labels(view, clock)
        if view.shape[:2] != image.shape[:2]:
            with clock("labels"):
                labels = resize_labels(labels, image.shape[1], image.shape[0])
        session = self._network.session
        return Segmentation(labels, self.names, session.engine, session.device, session.precision, clock.latency_ms)

    def frames(self, source: StreamSource, *, live: bool | None = None) -> SegmentStream:
        """Label a video, a camera, a folder or any sequence of frames; see `salticid.segment.stream.SegmentStream`."""
        from salticid.segment.stream import SegmentStream

        return SegmentStream(self, source, live=live)

    def _reduced(self, image: Image) -> Image:
        """Return what the network is to look at: the image, or a smaller one."""
        height, width = reduced_size(image.shape, self.options.long_side_px)
        return image if image.shape[:2] == (height, width) else resize(image, width, height)

    def _labels(self, view: Image, clock: StageClock) -> Image:
        """Return the labels of one view, (H, W) uint8."""
        height, width = view.shape[:2]
        with clock("prepare"):
            tensor = self._prepare(view)
        with clock("network"):
            output = self._network.session.run({self._network.input: tensor})[self._network.output][0]
        with clock("labels"):
            if self._network.output == LOGITS:
                self._check_shape(output, (len(self.names), *(side // LOGITS_STRIDE for side in tensor.shape[2:])))
                threads = max(1, min(self.threads, height * width // PIXELS_PER_THREAD))
                return upsample_argmax(output, scale=LOGITS_STRIDE, size=(height, width), threads=threads)
            self._check_shape(output, tensor.shape[2:])
            labels: Image = np.ascontiguousarray(output[:height, :width])
            self._check_named(labels)
            return labels

    def _check_shape(self, output: Array, expected: tuple[int, ...]) -> None:
        if output.shape != expected:
            network = self._network
            raise InputError(f"{network.label} gave {network.output} of {output.shape} where {expected} belong")

    def _check_named(self, labels: Image) -> None:
        if int(labels.max()) >= len(self.names):
            raise InputError(
                f"{self._network.label} gave label {labels.max()}, and there are {len(self.names)} names: give names="
            )

    def _check_memory(self, height: int, width: int) -> None:
        """Raise `ResourceError` before the system ends the process for what it takes."""
        stride = self._network.stride
        need = BYTES_PER_PIXEL * rounded_up(height, stride) * rounded_up(width, stride)
        if need > NEVER_TOO_MUCH and need > (free := hardware.available_memory()):
            raise ResourceError(
                f"an image of {width} x {height} takes about {need / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: "
                "work in tiles (tile_px=1024, profile='memory') or on a smaller image (long_side_px=2048)"
            )
