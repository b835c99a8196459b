"""Which layers of a network suffer from 8 bits: each is written in them alone, and the loss is measured.

for entry in sensitivity("net.onnx", images): print(entry.loss, entry.node)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from salticid.core.types import Array
from salticid.engine import onnx_graph
from salticid.engine.bias_correction import bias_shifts
from salticid.engine.calibrate import Method, calibrate
from salticid.engine.qdq import Form, Range, values_of, weighted_nodes, with_qdq
from salticid.engine.session import Session
from salticid.errors import InputError

Loss = Callable[[Array, Array], float]  # of the float network's first output and the 8-bit network's
LossName = Literal["noise", "labels"]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What 8 bits in one node alone cost."""

    node: str
    loss: float


def noise(expected: Array, found: Array) -> float:
    """Return the mean squared difference as a share of the variance of what is expected."""
    return float(np.square(expected - found).mean() / max(float(expected.var()), np.finfo(np.float32).tiny))


def changed_labels(expected: Array, found: Array) -> float:
    """Return the share of places whose best class, along axis 1, is another one; `InputError` without classes."""
    if expected.ndim < 2 or expected.shape[1] < 2:
        raise InputError(f"an output of shape {expected.shape} has no classes along axis 1: take the loss 'noise'")
    return float((expected.argmax(1) != found.argmax(1)).mean())


LOSSES: dict[str, Loss] = {"noise": noise, "labels": changed_labels}


def sensitivity(
    path: str | os.PathLike[str],
    batches: Iterable[Array],
    *,
    loss: LossName | Loss = "noise",
    method: Method = "extremes",
    form: Form = "portable",
    threads: int = 1,
) -> list[Sensitivity]:
    """Return the nodes with weights of the ONNX model at `path`, the most sensitive first.

    Parameters
    ----------
    batches
        Real inputs, (N, ...) float32: the ranges come from them, and the loss is measured on them.
    loss
        "noise" (share of the output's variance), "labels" (share of changed classes), or a function of the first
        float output of the float network and of the 8-bit one, which is averaged over the batches.

    Raises
    ------
    InputError
        The model cannot be read, has no such nodes or is in 8 bits already, or the inputs do not fit.
    """
    model = onnx_graph.load_float(path)
    trials = Trials(model, list(batches), loss=loss, method=method, form=form, threads=threads)
    return trials.ranking(weighted_nodes(model))


class Trials:
    """A calibrated network, and what any choice of nodes in 8 bits costs it."""

    def __init__(
        self,
        model: Any,
        batches: Sequence[Array],
        *,
        loss: LossName | Loss,
        method: Method,
        form: Form,
        threads: int,
    ) -> None:
        self._loss = chosen_loss(loss)
        self._batches, self._form, self._threads = batches, form, threads
        self._input = onnx_graph.the_input(model.graph, "the model").name
        nodes = weighted_nodes(model)
        if not nodes:
            raise InputError(
                "the model has no convolution or dense layer with constant float weights: nothing to quantize"
            )
        self.ranges: dict[str, Range] = calibrate(
            model, values_of(model, nodes), batches, method=method, threads=threads
        )
        self.shifts = bias_shifts(model, nodes, batches, form=form, threads=threads)
        # What follows the logits costs time in every trial, and tells nothing new.
        self._model = onnx_graph.with_outputs(model, [onnx_graph.first_float_output(model, "the model")])
        self._expected = list(self._outputs(self._model))

    def loss(self, nodes: Collection[str]) -> float:
        """Return the mean loss over the batches when `nodes` are in 8 bits."""
        able = set(weighted_nodes(self._model))
        small = with_qdq(self._model, self.ranges, able & set(nodes), form=self._form, shifts=self.shifts)
        found = self._outputs(small)
        return float(np.mean([self._loss(*pair) for pair in zip(self._expected, found, strict=True)]))

    def ranking(self, nodes: Sequence[str]) -> list[Sensitivity]:
        """Return `nodes` by what each costs alone, the most expensive first."""
        found = [Sensitivity(node, self.loss([node])) for node in nodes]
        return sorted(found, key=lambda entry: entry.loss, reverse=True)

    def _outputs(self, model: Any) -> Iterable[Array]:
        session = Session(model.SerializeToString(), engine="onnxruntime", threads=self._threads)
        for batch in self._batches:
            [output] = session.run({self._input: batch}).values()
            yield output


def chosen_loss(loss: LossName | Loss) -> Loss:
    """Return the loss that is meant by a name or is given."""
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(LOSSES)} or a function, not {loss!r}")
    return LOSSES[loss]
