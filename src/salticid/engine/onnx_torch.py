"""The operators of convolutional ONNX networks as torch functions, so that such a network can be trained.

Only what these networks consist of is here; any other node is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from salticid.core.types import Array
from salticid.engine import onnx_graph, packages
from salticid.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import functional
else:
    torch = packages.torch()
    functional = torch.nn.functional

Operator = Callable[..., "Tensor"]  # takes the inputs that are no constants, in order

HALF_PIXEL = (b"half_pixel", b"pytorch_half_pixel")


def operator(node: Any, constants: Mapping[str, Array]) -> Operator:
    """Return `node` as a function of its activations; a convolution takes weights and bias as well.

    Raises
    ------
    InputError
        The operator, or the way in which it is used, is not here.
    """
    maker = MAKERS.get(node.op_type)
    if maker is None or node.domain not in onnx_graph.DEFAULT_DOMAINS:
        raise InputError(f"node {node.name!r} is a {node.op_type}: only {', '.join(MAKERS)} can be trained")
    return maker(node, onnx_graph.attributes(node), [constants.get(name) for name in node.input])


def _conv(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    stride, dilation, groups = given.get("strides", [1, 1]), given.get("dilations", [1, 1]), given.get("group", 1)
    top, left, bottom, right = _pads(node, given)

    def run(values: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
        if (top, left) == (bottom, right):
            return functional.conv2d(values, weights, bias, stride, (top, left), dilation, groups)
        padded = functional.pad(values, (left, right, top, bottom))
        return functional.conv2d(padded, weights, bias, stride, 0, dilation, groups)

    return run


def _pads(node: Any, given: Mapping[str, Any]) -> list[int]:
    if given.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise _refusal(node, "auto_pad is not taken: give pads")
    return list(given.get("pads", [0, 0, 0, 0]))


def _clip(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    bounds = [None if bound is None else float(bound) for bound in constants[1:]]
    low, high = [*bounds, None, None][:2]
    return lambda values: torch.clamp(values, low, high)


def _pair(function: Operator) -> Callable[..., Operator]:
    """Return the maker of an operator on two values, one of which may be a constant."""

    def maker(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
        fixed = [None if array is None else torch.from_numpy(array.copy()) for array in constants]

        def run(*values: Tensor) -> Tensor:
            left = iter(values)
            return function(*(next(left) if array is None else array.to(values[0].device) for array in fixed))

        return run

    return maker


def _concat(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    if any(array is not None for array in constants):
        raise _refusal(node, "one of its inputs is a constant")
    return lambda *values: torch.cat(values, dim=given["axis"])


def _max_pool(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    kernel, stride, padding = _pooling(node, given)
    return lambda values: functional.max_pool2d(values, kernel, stride, padding)


def _average_pool(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    kernel, stride, padding = _pooling(node, given)
    around = bool(given.get("count_include_pad", 0))
    return lambda values: functional.avg_pool2d(values, kernel, stride, padding, count_include_pad=around)


def _pooling(node: Any, given: Mapping[str, Any]) -> tuple[list[int], list[int], tuple[int, int]]:
    """Return kernel, stride and padding."""
    top, left, bottom, right = _pads(node, given)
    if (top, left) != (bottom, right) or given.get("ceil_mode", 0) or set(given.get("dilations", [1])) != {1}:
        raise _refusal(node, "only pooling with the same padding on both sides, rounded down, is taken")
    return list(given["kernel_shape"]), list(given.get("strides", [1, 1])), (top, left)


def _resize(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    scales = constants[2] if len(constants) > 2 else None
    linear = given.get("mode", b"nearest") == b"linear"
    if scales is None or scales.size != 4 or tuple(scales[:2]) != (1, 1):
        raise _refusal(node, "it does not enlarge height and width by constant factors: use scale_factor=")
    if not linear or given.get("coordinate_transformation_mode", b"half_pixel") not in HALF_PIXEL:
        raise _refusal(node, "only bilinear enlargement with align_corners=False is taken")
    factors = [float(scale) for scale in scales[2:]]
    return lambda values: functional.interpolate(values, scale_factor=factors, mode="bilinear", align_corners=False)


def _hard_sigmoid(node: Any, given: Mapping[str, Any], constants: Sequence[Array | None]) -> Operator:
    slope, offset = given.get("alpha", 0.2), given.get("beta", 0.5)
    return lambda values: torch.clamp(values * slope + offset, 0, 1)


def _plain(function: Operator) -> Callable[..., Operator]:
    return lambda node, given, constants: function


def _refusal(node: Any, reason: str) -> InputError:
    return InputError(f"node {node.name!r} ({node.op_type}) cannot be trained: {reason}")


MAKERS: dict[str, Callable[..., Operator]] = {
    "Conv": _conv,
    "Relu": _plain(functional.relu),
    "Clip": _clip,
    "Sigmoid": _plain(torch.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(functional.hardswish),
    "Add": _pair(torch.add),
    "Mul": _pair(torch.mul),
    "Concat": _concat,
    "GlobalAveragePool": _plain(lambda values: values.mean(dim=(2, 3), keepdim=True)),
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "Resize": _resize,
}
