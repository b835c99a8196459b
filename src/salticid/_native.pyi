"""Kernels in C++; `salticid.core.native` says which of them this machine runs."""

import numpy as np
from numpy.typing import NDArray

from salticid.core.types import FloatMap, Image, Mask

def instruction_sets() -> tuple[str, ...]:
    """Return the instruction sets usable on this machine, best first; the last is "scalar"."""

def census(gray: NDArray[np.uint8], codes: NDArray[np.uint64], window: str, threads: int, instruction_set: str) -> None:
    """Write the census codes of `gray` (H, W), of contiguous columns, to `codes` (H, W), contiguous.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the window or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

class Sgm:
    """Semi-global matching with these options; keeps its working memory from one pair to the next.

    Of `penalties` the first is P1; P2 falls from the second by the fourth for each gray level, to the third.
    """

    def __init__(
        self,
        window: str,
        paths: int,
        min_disparity: int,
        num_disparities: int,
        penalties: tuple[int, int, int, int],
        uniqueness_percent: int,
        left_right: int,
        instruction_set: str,
    ) -> None:
        """Prepare for pairs of any size.

        Raises
        ------
        ValueError
            A value is out of its range, or the window or the instruction set is unknown here.
        TypeError
            A value has another type, or does not fit that of the kernels.
        """

    def match(
        self,
        left: Image,
        right: Image,
        disparity: FloatMap,
        confidence: FloatMap,
        evidence: tuple[NDArray[np.uint16], ...] | None,
        threads: int,
        thrifty: bool,
    ) -> None:
        """Match two views (H, W), of contiguous columns, and write to `disparity` and `confidence` (H, W), contiguous.

        And to `evidence`, unless None, six (H, W), contiguous: the sums of the winner, of the candidates before and
        after it and of the second best, the difference to the right view's winner and that between the sweeps.

        Raises
        ------
        ValueError
            The arrays do not fit each other.
        TypeError
            An array has another dtype or number of axes, or cannot be written.
        MemoryError
            The working memory is not to be had.
        """

    def bytes(self, height: int, width: int, threads: int, thrifty: bool, evidence: bool) -> int:
        """Return the working memory that `match` takes for a pair of this size, bytes."""

def census_compare_only(count: int, instruction_set: str) -> None:
    """Make `count` comparisons of bytes and nothing else, to time the least that a census of them could take."""

def median_of_known(disparity: FloatMap, result: FloatMap, threads: int, instruction_set: str) -> None:
    """Write the medians of `disparity` (H, W) to `result` (H, W), which overlap nowhere; both of contiguous columns.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

def remove_speckles(disparity: FloatMap, area_px: int, range_px: float, threads: int) -> None:
    """Make small islands of `disparity` (H, W), of contiguous columns, unknown.

    Raises
    ------
    ValueError
        The array is empty, or its columns are not contiguous.
    TypeError
        It has another dtype or number of axes, or cannot be written.
    """

def upsample_argmax(
    logits: NDArray[np.float32], labels: NDArray[np.uint8], scale: int, threads: int, instruction_set: str
) -> bool:
    """Write the labels (H, W) of logits (C, h, w); both of contiguous columns, and they overlap nowhere.

    Returns False, with nothing of use in `labels`, where a logit is infinite or nan.

    Raises
    ------
    ValueError
        The arrays do not fit each other, or the scale or the instruction set is unknown here.
    TypeError
        An array has another dtype or number of axes, or cannot be written.
    """

class PatchNetwork:
    """A dense network on taps of maps, packed for one instruction set."""

    def __init__(
        self,
        taps: NDArray[np.int32],
        layers: list[tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.int32]]],
        planes: int,
        instruction_set: str,
    ) -> None:
        """Take (N, 5) taps: plane, dy, dx, center (-1: none), shift; and weights, bias and shift of each layer.

        Raises
        ------
        ValueError
            The layers do not fit each other, are too large, or a sum could overflow.
        TypeError
            An array has another dtype or number of axes, or is not contiguous.
        """

    def run(self, planes: list[NDArray[np.int16]], mask: Mask | None, outputs: NDArray[np.int16], threads: int) -> None:
        """Write the outputs (H, W, outputs) of maps (H, W), all contiguous; 0 where `mask` is False.

        Raises
        ------
        ValueError
            The arrays do not fit each other or the network.
        TypeError
            An array has another dtype or number of axes, or is not contiguous.
        """

    @staticmethod
    def multiply_only(count: int, instruction_set: str) -> None:
        """Make `count` products and sums and nothing else, to time the least that such a network could take."""

class FloatPatchNetwork:
    """The same in floating point: an input is `(u7 - input_zero) * input_scale`."""

    def __init__(
        self,
        taps: NDArray[np.int32],
        layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
        planes: int,
        input_scale: float,
        input_zero: int,
        instruction_set: str,
    ) -> None:
        """Take taps as `PatchNetwork` does, and weights and bias of each layer.

        Raises
        ------
        ValueError
            The layers do not fit each other or are too large, or the zero is not 0..127.
        TypeError
            An array has another dtype or number of axes, or is not contiguous.
        """

    def run(
        self, planes: list[NDArray[np.int16]], mask: Mask | None, outputs: NDArray[np.float32], threads: int
    ) -> None:
        """Write the outputs (H, W, outputs) of maps (H, W), all contiguous; 0 where `mask` is False.

        Raises
        ------
        ValueError
            The arrays do not fit each other or the network.
        TypeError
            An array has another dtype or number of axes, or is not contiguous.
        """

    @staticmethod
    def multiply_only(count: int, instruction_set: str) -> None:
        """Make `count` products and sums and nothing else, to time the least that such a network could take."""

class Refinement:
    """Fills and refines maps (H, W) with their image (H, W, 1 or 3), all contiguous; keeps its memory.

    Every method returns False, with nothing of use in the results, where a disparity is beyond 2047 px. It raises
    ValueError where the arrays do not fit each other, and TypeError where one is of another dtype.
    """

    def __init__(self, instruction_set: str) -> None:
        """Prepare for maps of any size; ValueError where the instruction set is unknown here."""

    def fill(self, disparity: FloatMap, image: Image, result: FloatMap, threads: int) -> bool:
        """Write the map without holes."""

    def smooth(
        self,
        disparity: FloatMap,
        confidence: FloatMap,
        image: Image,
        result: FloatMap,
        confidence_result: FloatMap,
        threads: int,
    ) -> bool:
        """Write the map without holes, smoothed where the votes near a pixel differ."""

    def maps(
        self,
        disparity: FloatMap,
        confidence: FloatMap,
        image: Image,
        maps: tuple[NDArray[np.int16], ...],
        threads: int,
    ) -> bool:
        """Write the six maps that a network looks at."""

    def choose(
        self,
        network: PatchNetwork,
        probability: NDArray[np.float32],
        shift: int,
        disparity: FloatMap,
        confidence: FloatMap,
        image: Image,
        mask: Mask | None,
        result: FloatMap,
        confidence_result: FloatMap,
        threads: int,
    ) -> bool:
        """Write what the network chooses; `probability` has 256 entries, by its last output shifted, from -128 on."""

class PlainNet:
    """A network of 3x3 convolutions in 8 bits, packed for one instruction set."""

    def __init__(
        self,
        layers: list[tuple[NDArray[np.int8], NDArray[np.int32], NDArray[np.float32]]],
        scale: int,
        repeats: int,
        instruction_set: str,
    ) -> None:
        """Take weights (O, I, 3, 3), bias (O,) and multiplier (O,) of each layer, all contiguous.

        Raises
        ------
        ValueError
            The layers do not fit each other or are too large, or a sum could overflow.
        TypeError
            An array has another dtype or number of axes, or is not contiguous.
        """

    def enlarge(self, image: Image, result: Image, threads: int) -> None:
        """Write the result (scale H, scale W, 3) of an image (H, W, 3); both have contiguous pixels in a row.

        Raises
        ------
        ValueError
            The arrays do not fit each other or the network.
        TypeError
            An array has another dtype or number of axes, or cannot be written.
        MemoryError
            The working memory is not to be had.
        """
