"""Quantization-aware training: the network computes with the rounding of 8 bits, and learns to live with it.

    net = prepare_qat(trained, images)        # calibrated, as quantize_static would
    ...                                       # some epochs at a small rate, as before
    export_qat(net, "net-int8.onnx")

Training sees rounded weights, activations and biases, and passes gradients as if nothing had been rounded (straight
through). Ranges of activations are learned as well, by the gradient of what they cut off; the scales of weights follow
the weights. The file that is written computes what the network did: both round by the same rules (`qdq.py`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from salticid.core import atomic
from salticid.core.types import Array
from salticid.engine import onnx_graph, packages, parity
from salticid.engine.bias_correction import bias_shifts
from salticid.engine.calibrate import calibrate
from salticid.engine.export_onnx import to_onnx
from salticid.engine.onnx_labels import with_labels
from salticid.engine.onnx_torch import operator
from salticid.engine.parity import Parity, check_parity
from salticid.engine.qdq import (
    LARGEST_BIAS,
    LARGEST_PAIR,
    LARGEST_WEIGHT,
    LEAST_RANGE,
    LEAST_SCALE,
    LEVELS,
    Range,
    chosen_scales,
    shared_ranges,
    values_of,
    with_qdq,
)
from salticid.engine.quantize import candidates
from salticid.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
else:
    torch = packages.torch()
    nn = torch.nn

EXAMPLE_SIZE = (64, 96)  # pixels of the image that an exported file is compared on

# Sums in another order can tip a number over to the next step of 1/256 of a range, and that one others.
MOST_DIFFERENCE, LEAST_EQUAL = 0.1, 0.98


def prepare_qat(
    module: nn.Module,
    batches: Iterable[Array],
    *,
    keep_float: Sequence[str] = (),
    keep_last: int = 1,
) -> QatNetwork:
    """Return `module` as a network that computes with the rounding of 8 bits, to be trained on.

    Parameters
    ----------
    module
        A trained convolutional network with one input and one output; it is not changed. Batch normalization becomes
        part of the convolutions.
    batches
        Real inputs, (N, C, H, W) float32, that the ranges start from.
    keep_float, keep_last
        What stays in float, as in `quantize_static`.

    Raises
    ------
    InputError
        A node of the network cannot be trained in this way; the message names it.
    """
    given = list(batches)
    if not given:
        raise InputError("there are no inputs to start the ranges from: give a few dozen typical ones")
    model = to_onnx(module, given[0].shape)
    nodes = candidates(model, keep_float, keep_last)
    ranges = calibrate(model, values_of(model, nodes), given)
    return QatNetwork(_with_shifted_biases(model, bias_shifts(model, nodes, given)), nodes, ranges)


def _with_shifted_biases(model: Any, shifts: Mapping[str, Array]) -> Any:
    """Return a copy of `model` whose biases start from where rounded weights want them."""
    other = onnx_graph.copy(model)
    known = onnx_graph.constants(other.graph)
    for node in other.graph.node:
        if node.name in shifts and len(node.input) > 2 and node.input[2]:
            bias = onnx_graph.array(known[node.input[2]]) + shifts[node.name]
            other.graph.initializer.append(onnx_graph.tensor(bias, f"{node.name}_shifted"))
            node.input[2] = f"{node.name}_shifted"
    onnx_graph.drop_unused(other.graph)
    return other


def export_qat(
    network: QatNetwork,
    path: str | os.PathLike[str],
    *,
    labels_scale: int | None = None,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Parity:
    """Write a trained network as an ONNX file in 8 bits (QDQ), and return how far apart both are.

    Raises
    ------
    InputError
        `path` cannot be written.
    IntegrityError
        onnxruntime makes other outputs of the file than torch of the network.
    """
    atomic.check_target(path, overwrite=overwrite)
    model = network.quantized_model()
    if labels_scale is not None:
        model = with_labels(model, labels_scale)
    onnx_graph.set_metadata(model, metadata or {})
    data = model.SerializeToString()
    training, device = network.training, next(network.parameters()).device
    try:
        found = check_parity(
            network.train(False).cpu(),
            data,
            parity.random_inputs([network.input_shape]),
            most_difference=MOST_DIFFERENCE,
            least_equal=LEAST_EQUAL,
        )
    finally:
        network.train(training).to(device)
    atomic.write_bytes(path, data, overwrite=overwrite)
    return found


class QatNetwork(nn.Module):
    """The graph of a convolutional network, run in torch, with `nodes` and what joins their results in 8 bits."""

    def __init__(self, model: Any, nodes: Collection[str], ranges: Mapping[str, Range]) -> None:
        super().__init__()
        self._model = model
        self._nodes = list(nodes)
        given = onnx_graph.the_input(model.graph, "the network")
        self._input, self._output = given.name, onnx_graph.first_float_output(model, "the network")
        self.input_shape = (1, int(onnx_graph.dimensions(given)[1]), *EXAMPLE_SIZE)
        constants = {name: onnx_graph.array(tensor) for name, tensor in onnx_graph.constants(model.graph).items()}
        self._steps = [_Step(node, constants) for node in model.graph.node]
        self.layers = nn.ModuleDict(
            {
                step.key: _Layer(step, constants, rounded=step.name in nodes)
                for step in self._steps
                if step.type == "Conv"
            }
        )
        shared = shared_ranges(model.graph, dict(ranges))
        owners = {id(given): value for value, given in reversed(shared.items())}
        self._owner = {value: owners[id(given)] for value, given in shared.items()}
        self.held = nn.ModuleDict({_key(value): HeldIn8Bits(shared[value]) for value in owners.values()})

    def forward(self, image: Tensor) -> Tensor:
        """Return the first output for (N, C, H, W) float32."""
        values = {self._input: self._hold(self._input, image)}
        for step in self._steps:
            taken = [values[name] for name in step.inputs]
            if step.type == "Conv":
                taken.extend(self._layer(step)(self._scale_of(step.inputs[0])))
            values[step.output] = self._hold(step.output, step.run(*taken))
        return values[self._output]

    def quantized_model(self) -> Any:
        """Return the network as an `onnx.ModelProto` in 8 bits."""
        model = onnx_graph.copy(self._model)
        scales = {}
        for step, node in zip(self._steps, model.graph.node, strict=True):
            if step.type != "Conv":
                continue
            layer = self._layer(step)
            held = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
            # New names: layers may have started from the same numbers, which exporters store once.
            names = [f"{step.name}/trained_{part}" for part in ("weight", "bias")[: len(held)]]
            onnx_graph.replace_names(node.input, [*step.inputs, *names])
            model.graph.initializer.extend(map(onnx_graph.tensor, map(_numpy, held), names))
            if step.name in self._nodes:
                scales[step.name] = _numpy(layer.scales(self._scale_of(step.inputs[0])))
        ranges = {value: self._held(value).range() for value in self._owner}
        return with_qdq(model, ranges, self._nodes, scales=scales)

    def _layer(self, step: _Step) -> _Layer:
        layer = self.layers[step.key]
        assert isinstance(layer, _Layer)
        return layer

    def _held(self, value: str) -> HeldIn8Bits:
        held = self.held[_key(self._owner[value])]
        assert isinstance(held, HeldIn8Bits)
        return held

    def _hold(self, value: str, numbers: Tensor) -> Tensor:
        return self._held(value)(numbers) if value in self._owner else numbers

    def _scale_of(self, value: str) -> Tensor | None:
        return self._held(value).steps()[0].detach() if value in self._owner else None


class HeldIn8Bits(nn.Module):
    """An activation in 256 steps between two learned ends."""

    def __init__(self, start: Range) -> None:
        super().__init__()
        self.low = nn.Parameter(torch.tensor(start.low, dtype=torch.float32))
        self.high = nn.Parameter(torch.tensor(start.high, dtype=torch.float32))

    def forward(self, numbers: Tensor) -> Tensor:
        """Return the numbers cut off and rounded."""
        scale, zero = self.steps()
        scale_, zero_ = scale.detach(), zero.detach()
        # Cutting off by the ends themselves gives them their gradient; the whole steps lie within half a step of them.
        limited = torch.minimum(torch.maximum(numbers, self.low.clamp(max=0)), self.high.clamp(min=0))
        whole = torch.clamp(torch.round(numbers.detach() / scale_) + zero_, 0, LEVELS) - zero_
        return _straight_through(limited, whole * scale_, self.training)

    def steps(self) -> tuple[Tensor, Tensor]:
        """Return the size of a step and the number that means 0, as `Range.steps` does."""
        low, high = self.low.clamp(max=0), self.high.clamp(min=0)
        scale = ((high.double() - low.double()).clamp(min=LEAST_RANGE) / LEVELS).float()
        return scale, torch.clamp(torch.round(-low / scale), 0, LEVELS)

    def range(self) -> Range:
        """Return what it has become."""
        return Range(self.low.item(), self.high.item())


class _Step:
    """One node: what it takes, makes and does."""

    def __init__(self, node: Any, constants: Mapping[str, Array]) -> None:
        self.name, self.type, self.key = str(node.name), str(node.op_type), _key(node.name)
        self.inputs = [name for name in node.input if name and name not in constants]
        self.output = str(node.output[0])
        self.weights = [name for name in node.input[1:] if name in constants]
        if self.type == "Conv" and (len(self.inputs) != 1 or constants[self.weights[0]].ndim != 4):
            raise InputError(f"node {self.name!r} is no convolution of images with constant weights")
        self.run = operator(node, constants)


class _Layer(nn.Module):
    """Weights and bias of a convolution; rounded where it computes in 8 bits."""

    def __init__(self, step: _Step, constants: Mapping[str, Array], *, rounded: bool) -> None:
        super().__init__()
        weights, *bias = (constants[name] for name in step.weights)
        self.weight = nn.Parameter(torch.from_numpy(weights.copy()))
        self.bias = nn.Parameter(torch.from_numpy(bias[0].copy())) if bias else None
        self._rounded, self._pairs = rounded, weights.shape[1] > 1
        largest = np.abs(weights).reshape(len(weights), -1).max(axis=1) / LARGEST_WEIGHT
        shares = chosen_scales(weights, pairs=self._pairs) / np.maximum(largest, LEAST_SCALE)
        self.register_buffer("shares", torch.from_numpy(shares.astype(np.float32)))

    def forward(self, input_scale: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return weights and bias as the convolution uses them."""
        if not self._rounded or input_scale is None:
            return self.weight, self.bias
        scales = self.scales(input_scale)
        whole = _whole_weights(self.weight.detach(), scales, pairs=self._pairs)
        weights = _straight_through(self.weight, whole * scales.reshape(-1, 1, 1, 1), self.training)
        if self.bias is None:
            return weights, None
        sums = scales * input_scale
        return weights, _straight_through(self.bias, torch.round(self.bias.detach() / sums) * sums, self.training)

    def scales(self, input_scale: Tensor | None) -> Tensor:
        """Return the scale of each output channel, which follows its largest weight."""
        largest = self.weight.detach().abs().amax(dim=(1, 2, 3)) / LARGEST_WEIGHT
        scales = (largest * self.get_buffer("shares")).clamp(min=LEAST_SCALE)
        if self.bias is None or input_scale is None:
            return scales
        return torch.maximum(scales, self.bias.detach().abs() / input_scale / LARGEST_BIAS)


def _whole_weights(weights: Tensor, scales: Tensor, *, pairs: bool) -> Tensor:
    """Return weights in whole steps, as `qdq.whole_weights` does."""
    rows = weights.movedim(1, -1).flatten(1)
    whole = torch.clamp(torch.round(rows / scales[:, None]), -LARGEST_WEIGHT, LARGEST_WEIGHT)
    if pairs:
        both = nn.functional.pad(whole, (0, whole.shape[1] % 2)).reshape(len(whole), -1, 2)
        total = both.sum(dim=2)
        excess = torch.where(both.prod(dim=2) > 0, (total.abs() - LARGEST_PAIR).clamp(min=0), 0)
        less = torch.stack([torch.ceil(excess / 2), torch.floor(excess / 2)], dim=2) * total.sign()[..., None]
        whole = (both - less).flatten(1)[:, : whole.shape[1]]
    outputs, inputs, *kernel = weights.shape
    return whole.reshape(outputs, *kernel, inputs).movedim(-1, 1)


def _straight_through(real: Tensor, rounded: Tensor, training: bool) -> Tensor:
    """Return `rounded`, with the gradient of `real`."""
    return real + (rounded - real).detach() if training else rounded


def _key(name: str) -> str:
    """Return a name that torch takes for a part of a network."""
    return name.replace(".", "_") or "value"


def _numpy(numbers: Tensor) -> Array:
    array: Array = numbers.detach().cpu().numpy()
    return array
