"""Find out between which numbers the inner values of a network lie, from typical inputs.

    ranges = calibrate(model, values, batches)

"extremes" takes all of a range. A few outliers can stretch it, and with it the steps that all other numbers are rounded
to: "error" takes the part that loses least by rounding and cutting off together. Which is better depends on the
network: behind ReLU6 there are no outliers, and cutting off shifts means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_graph
from salticid.engine.qdq import LEVELS, Range
from salticid.engine.session import Session
from salticid.errors import InputError

Method = Literal["extremes", "error"]

SAMPLES_PER_BATCH = 1024  # of each value
MOST_SAMPLES = 1 << 14
SHARES = [float(share) for share in np.linspace(1.0, 0.3, 29)]  # of an end of the range, that are tried


def calibrate(
    model: Any, values: Sequence[str], batches: Iterable[Array], *, method: Method = "extremes", threads: int = 1
) -> dict[str, Range]:
    """Run `model` on `batches` and return the range of each of `values`.

    Parameters
    ----------
    model
        An `onnx.ModelProto` with one input.
    values
        Names of inputs, inner values and outputs.
    batches
        Real inputs, (N, ...) float32, prepared as the network wants them; a few dozen images do. Each is looked at
        once, and little of it is kept.
    method
        "extremes" keeps outliers; "error" cuts them off where that makes the squared error smaller.

    Raises
    ------
    InputError
        There are no batches, one does not fit, or a value is not finite.
    """
    if method not in get_args(Method):
        raise InputError(f"method must be one of {', '.join(get_args(Method))}, not {method!r}")
    samples: dict[str, list[Array]] = {value: [] for value in values}
    ends: dict[str, list[Range]] = {value: [] for value in values}
    for found in _runs(model, values, batches, threads):
        for value in values:
            ends[value].append(_extremes(found[value], value))
            samples[value].append(_sample(found[value]))
    if not all(samples.values()):
        raise InputError("there are no inputs to calibrate with: give a few dozen typical ones")
    whole = {value: Range(min(e.low for e in seen), max(e.high for e in seen)) for value, seen in ends.items()}
    if method == "extremes":
        return whole
    return {value: _least_error(np.concatenate(samples[value]), whole[value]) for value in values}


def _runs(model: Any, values: Sequence[str], batches: Iterable[Array], threads: int) -> Iterable[dict[str, Array]]:
    """Yield all of `values` for every batch."""
    given = onnx_graph.the_input(model.graph, "the model").name
    inner = [value for value in values if value != given]
    session = Session(onnx_graph.with_values(model, inner).SerializeToString(), threads=threads) if inner else None
    for batch in batches:
        feeds = {given: batch}
        yield feeds | (session.run(feeds) if session else {})


def _extremes(numbers: Array, value: str) -> Range:
    if not numbers.size:
        raise InputError(f"the value {value!r} is empty on a calibration input, {numbers.shape}: leave that input out")
    found = Range(float(numbers.min()), float(numbers.max()))
    if not (np.isfinite(found.low) and np.isfinite(found.high)):
        raise InputError(f"the value {value!r} is not finite on a calibration input: check the input")
    return found


def _sample(numbers: Array) -> Array:
    """Return some of `numbers`, evenly spread."""
    # An odd step walks through all columns of an image, whose widths are mostly even.
    step = max(1, numbers.size // SAMPLES_PER_BATCH) | 1
    return numbers.ravel()[::step].astype(np.float32)


def _least_error(samples: Array, whole: Range) -> Range:
    """Return the part of the whole range, cut at either end, in which rounding and cutting off cost least."""
    some = samples[:: max(1, len(samples) // MOST_SAMPLES)]
    above = [Range(whole.low, whole.high * share) for share in SHARES]
    best = min(above, key=lambda given: _squared_error(some, given))
    if whole.low >= 0:
        return best
    below = [Range(whole.low * share, best.high) for share in SHARES]
    return min(below, key=lambda given: _squared_error(some, given))


def _squared_error(samples: Array, given: Range) -> float:
    scale, zero = given.steps()
    steps = np.clip(np.rint(samples / scale) + np.float32(zero), 0, LEVELS)
    return float(np.square((steps - np.float32(zero)) * scale - samples).mean())
