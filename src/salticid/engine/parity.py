"""Compare an exported file with the network that it was made of, on given inputs.

check_parity(net, "net.onnx", images)        # raises where they differ
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from salticid.core.types import Array
from salticid.engine import packages
from salticid.engine.session import EngineName, Session
from salticid.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from torch import nn

MOST_DIFFERENCE = 1e-4  # of the largest output: float32 sums in another order
LEAST_EQUAL = 0.999


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported file is from its network."""

    largest: float  # difference of two outputs
    mean: float  # absolute difference
    range: float  # the largest output, by its absolute value
    equal_labels: float  # share of the places where both choose the same class; 1 where there are no classes
    places: int
    inputs: int

    @property
    def relative(self) -> float:
        """Return the largest difference as a share of the largest output."""
        return self.largest / self.range if self.range else self.largest


def check_parity(
    module: nn.Module,
    model: str | os.PathLike[str] | bytes,
    inputs: Iterable[Array],
    *,
    most_difference: float = MOST_DIFFERENCE,
    least_equal: float = LEAST_EQUAL,
    threads: int = 1,
) -> Parity:
    """Run a torch module and its ONNX file on the same inputs and compare all outputs.

    The first outputs of the file are those of the module, in order. An output `labels` beyond them is compared with
    the classes of the module's first output, enlarged bilinearly to its size.

    Parameters
    ----------
    module
        A network with one input, in evaluation mode, on the CPU.
    model
        Path or bytes of the ONNX file.
    inputs
        Arrays (N, ...) float32; best real ones, of more than one size.
    most_difference
        Largest difference that is allowed, as a share of the largest output.
    least_equal
        Smallest share of places at which both must choose the same class (the largest of axis 1).

    Raises
    ------
    InputError
        There are no inputs, or they do not fit.
    IntegrityError
        The outputs differ by more than is allowed; the message says by how much.
    """
    reference, exported = _sessions(module, model, threads)
    compared = _Compared()
    for array in inputs:
        expected = list(reference.run({reference.inputs[0].name: array}).values())
        found = exported.run({exported.inputs[0].name: array})
        compared.take(expected, _with_matching_labels(found, expected))
    return _judged(compared.parity(), most_difference, least_equal, type(module).__name__)


def compare_files(
    reference: str | os.PathLike[str] | bytes,
    model: str | os.PathLike[str] | bytes,
    inputs: Iterable[Array],
    *,
    engine: EngineName,
    most_difference: float = MOST_DIFFERENCE,
    least_equal: float = LEAST_EQUAL,
    threads: int = 1,
) -> Parity:
    """Compare what `model`, run by `engine`, and an ONNX file, run by onnxruntime, both give; see `check_parity`."""
    before = Session(reference, engine="onnxruntime", threads=threads)
    after = Session(model, engine=engine, threads=threads)
    names = [spec.name for spec in before.outputs if spec.name in {other.name for other in after.outputs}]
    if not names:
        raise InputError("the two files have no output in common: nothing to compare")
    compared = _Compared()
    for array in inputs:
        expected = before.run({before.inputs[0].name: array})
        found = after.run({after.inputs[0].name: array})
        compared.take([expected[name] for name in names], [found[name] for name in names])
    return _judged(compared.parity(), most_difference, least_equal, "the reference")


def _sessions(module: nn.Module, model: str | os.PathLike[str] | bytes, threads: int) -> tuple[Session, Session]:
    """Return both networks; what the file gives beyond `labels` are the outputs that the module must return."""
    exported = Session(model, engine="onnxruntime", threads=threads)
    names = [spec.name for spec in exported.outputs]
    real = [name for name, spec in zip(names, exported.outputs, strict=True) if spec.dtype != "uint8"]
    if len(exported.inputs) != 1:
        raise InputError(f"the file has {len(exported.inputs)} inputs: networks with exactly one are compared")
    return Session(module, threads=threads, outputs=real or ["logits"]), exported


def _with_matching_labels(found: dict[str, Array], expected: list[Array]) -> list[Array]:
    """Return the outputs of a file in the order of `expected`, to which the labels that the file has are added."""
    labels = [array for array in found.values() if array.dtype == np.uint8]
    logits = [array for array in found.values() if array.dtype != np.uint8]
    if not logits:
        expected[:] = [labels_of(expected[0], labels[0].shape[1:])]
    elif labels:
        expected.append(labels_of(expected[0], labels[0].shape[1:]))
    return [*logits, *labels]


def labels_of(logits: Array, size: Sequence[int]) -> Array:
    """Return the best class of every pixel, uint8 (N, H, W), of logits (N, C, h, w) enlarged bilinearly by torch."""
    torch = packages.torch()
    enlarged = torch.nn.functional.interpolate(
        torch.from_numpy(logits), size=tuple(size), mode="bilinear", align_corners=False
    )
    labels: Array = enlarged.argmax(1).numpy().astype(np.uint8)
    return labels


class _Compared:
    """Differences that are added up over inputs."""

    def __init__(self) -> None:
        self._largest = self._sum = self._range = 0.0
        self._numbers = self._equal = self._places = self._inputs = 0

    def take(self, expected: list[Array], found: list[Array]) -> None:
        """Add the outputs of one input."""
        self._inputs += 1
        for wanted, given in zip(expected, found, strict=True):
            if wanted.shape != given.shape:
                raise IntegrityError(f"an output has the shape {given.shape}, not {wanted.shape}: export it anew")
            if wanted.dtype == np.uint8:
                self._count(wanted, given)
                continue
            self._measure(wanted, given)
            if wanted.ndim > 1 and wanted.shape[1] > 1:
                self._count(wanted.argmax(1), given.argmax(1))

    def parity(self) -> Parity:
        """Return what was found."""
        if not self._inputs:
            raise InputError("there are no inputs to compare two networks on: give at least one")
        return Parity(
            self._largest,
            self._sum / max(1, self._numbers),
            self._range,
            self._equal / self._places if self._places else 1.0,
            self._places,
            self._inputs,
        )

    def _measure(self, wanted: Array, given: Array) -> None:
        difference = np.abs(given.astype(np.float64) - wanted)
        if not np.isfinite(difference).all():
            raise IntegrityError("an output is not finite: the network, the file or the input is damaged")
        self._largest = max(self._largest, float(difference.max(initial=0)))
        self._range = max(self._range, float(np.abs(wanted).max(initial=0)))
        self._sum += float(difference.sum())
        self._numbers += difference.size

    def _count(self, wanted: Array, given: Array) -> None:
        self._equal += int((wanted == given).sum())
        self._places += wanted.size


def _judged(parity: Parity, most_difference: float, least_equal: float, name: str) -> Parity:
    if parity.relative > most_difference:
        raise IntegrityError(
            f"the exported file differs from {name} by {parity.largest:.3g}, which is {parity.relative:.2g} of its "
            f"largest output {parity.range:.3g}; at most {most_difference:.2g} is allowed"
        )
    if parity.equal_labels < least_equal:
        raise IntegrityError(
            f"the exported file chooses the class of {name} at {parity.equal_labels:.3%} of {parity.places} places; "
            f"at least {least_equal:.2%} are asked for"
        )
    return parity


def random_inputs(shapes: Iterable[Sequence[int]], seed: int = 0) -> list[Array]:
    """Return one float32 array in -1..1 of each shape, smooth where it is an image, so that it excites a network."""
    random: Any = np.random.default_rng(seed)
    shapes = list(shapes)
    for shape in shapes:
        if not shape or min(shape) < 1:
            raise InputError(f"an input must have at least one number along every axis, not the shape {tuple(shape)}")
    return [_smooth(random.uniform(-1, 1, shape)).astype(np.float32) for shape in shapes]


def _smooth(values: Array) -> Array:
    """Mix noise with larger blobs of itself along the last two axes of an image."""
    if values.ndim != 4:
        return values
    coarse = values[:, :, ::8, ::8].repeat(8, 2).repeat(8, 3)[:, :, : values.shape[2], : values.shape[3]]
    mixed: Array = 0.7 * coarse + 0.3 * values
    return mixed
