"""Which channels of a torch network belong together: those that are added, gated or convolved each on its own.

    groups = channel_groups(net)

A channel can only be removed from all layers of its group at once. The network is traced (torch.fx); a layer that the
rules here do not cover is an error that names it, never a guess.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from salticid.engine import packages
from salticid.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import fx, nn
    from torch.nn import functional
else:
    torch = packages.torch()
    nn, functional, fx = torch.nn, torch.nn.functional, packages.require("torch.fx")


@dataclass(slots=True, eq=False)
class Group:
    """Channels that are kept or removed together."""

    channels: int
    fixed: bool = False  # of the network's input or output
    makers: set[str] = field(default_factory=set)  # convolutions that write them
    followers: set[str] = field(default_factory=set)  # depthwise convolutions and normalizations


# A value's channels, as groups one after the other: several after a concatenation.
Segments = tuple[Group, ...]

ELEMENTWISE_MODULES = (
    nn.ReLU,
    nn.ReLU6,
    nn.Sigmoid,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.SiLU,
    nn.Identity,
    nn.Dropout,
    nn.Dropout2d,
    nn.AdaptiveAvgPool2d,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.Upsample,
)
ELEMENTWISE: tuple[Any, ...] = (
    functional.relu,
    functional.relu6,
    functional.hardsigmoid,
    functional.hardswish,
    functional.interpolate,
    functional.adaptive_avg_pool2d,
    functional.avg_pool2d,
    functional.max_pool2d,
    functional.pad,
    torch.relu,
    torch.sigmoid,
    torch.clamp,
)
ELEMENTWISE_METHODS = ("relu", "sigmoid", "clamp", "contiguous", "clone")
JOINING: tuple[Any, ...] = (
    operator.add,
    operator.mul,
    operator.sub,
    operator.iadd,
    operator.imul,
    torch.add,
    torch.mul,
)
JOINING_METHODS = ("add", "mul", "add_", "mul_")


@dataclass(frozen=True, slots=True)
class ChannelGroups:
    """All groups of a network, and what each convolution reads."""

    groups: tuple[Group, ...]
    inputs: Mapping[str, Segments]  # of convolutions that mix channels
    outputs: Mapping[str, Group]  # of every convolution and normalization


def channel_groups(network: nn.Module, *, method: str = "forward") -> ChannelGroups:
    """Trace `network` and return the groups of its channels.

    Parameters
    ----------
    network
        A network of one image input; its modules are looked at, not changed.
    method
        The method to trace: one that uses all layers, where `forward` leaves some out.

    Raises
    ------
    InputError
        A layer is not covered; the message names it.
    """
    return _Follower(network, method).groups()


class _Tracer(fx.Tracer):
    """Traces another method than forward."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.traced_func_name = method


class _Follower:
    """Goes through a traced network and joins the groups whose channels meet."""

    def __init__(self, network: nn.Module, method: str) -> None:
        if not callable(getattr(network, method, None)):
            raise InputError(f"{type(network).__name__} has no method {method!r}: name the one that uses all layers")
        self._modules = dict(network.named_modules())
        self._joined: dict[Group, Group] = {}
        self._values: dict[Any, Segments | None] = {}  # None: a size or a number
        self._inputs: dict[str, Segments] = {}
        self._outputs: dict[str, Group] = {}
        try:
            graph = _Tracer(method).trace(network)
        except (fx.proxy.TraceError, TypeError, AttributeError, RuntimeError) as error:
            name = type(network).__name__
            raise InputError(f"{name}.{method} cannot be traced, its way depends on values: {error}") from error
        for node in graph.nodes:
            self._values[node] = self._follow(node)

    def groups(self) -> ChannelGroups:
        """Return what was found, with every group in its final form."""
        inputs = {name: tuple(self._root(group) for group in segments) for name, segments in self._inputs.items()}
        outputs = {name: self._root(group) for name, group in self._outputs.items()}
        return ChannelGroups(tuple(dict.fromkeys(outputs.values())), inputs, outputs)

    def _follow(self, node: Any) -> Segments | None:
        if node.op == "placeholder":
            return ()  # the first convolution says how many channels there are
        if node.op == "output":
            self._fix(node)
            return None
        if node.op == "call_module":
            return self._module(node, self._modules[str(node.target)], str(node.target))
        if node.op in ("call_function", "call_method"):
            return self._call(node)
        raise self._refusal(node)

    def _module(self, node: Any, module: nn.Module, name: str) -> Segments:
        taken = self._segments(node.all_input_nodes[0])
        if isinstance(module, nn.Conv2d):
            return self._conv(node, module, name, taken)
        if isinstance(module, nn.BatchNorm2d):
            if len(taken) != 1:
                raise self._refusal(node, "normalizes a concatenation")
            self._own(name, taken[0], follows=True)
            return taken
        if isinstance(module, ELEMENTWISE_MODULES):
            return taken
        raise self._refusal(node)

    def _conv(self, node: Any, conv: nn.Conv2d, name: str, taken: Segments) -> Segments:
        if not taken:
            taken = (Group(conv.in_channels, fixed=True),)
        if conv.groups == 1:
            known = self._inputs.setdefault(name, taken)
            if known is not taken:  # used twice
                self._join(node, known, taken)
            self._own(name, self._outputs.get(name) or Group(conv.out_channels), follows=False)
            return (self._outputs[name],)
        if len(taken) != 1 or not conv.groups == conv.in_channels == conv.out_channels:
            raise self._refusal(node, f"has {conv.groups} groups for {conv.in_channels} channels")
        self._own(name, taken[0], follows=True)
        return taken

    def _own(self, name: str, group: Group, *, follows: bool) -> None:
        """Note that the module `name` holds numbers for the channels of `group`."""
        if name in self._outputs:
            self._unite(self._outputs[name], group)
        root = self._root(group)
        self._outputs[name] = root
        (root.followers if follows else root.makers).add(name)

    def _call(self, node: Any) -> Segments | None:
        method = node.target if node.op == "call_method" else None
        values = [self._values.get(item) for item in node.all_input_nodes]
        tensors = [value for value in values if value is not None]
        if not tensors or method == "size" or (node.target is getattr and node.args[1] == "shape"):
            return None
        if node.target in JOINING or method in JOINING_METHODS:
            for other in tensors[1:]:
                self._join(node, tensors[0], other)
            return tensors[0]
        if node.target is torch.cat and self._option(node, 1, "dim", 0) == 1:
            return tuple(group for item in node.args[0] for group in self._segments(item))
        self._check_keeps_channels(node, method)
        return tensors[0]

    def _check_keeps_channels(self, node: Any, method: Any) -> None:
        """Raise `InputError` for a call that may not give each channel of its input a channel of its output."""
        if node.target is torch.mean or method == "mean":
            if self._option(node, 1, "dim", None) not in ((2, 3), [2, 3], (-2, -1), [-2, -1]):
                raise self._refusal(node, "averages over other axes than height and width")
            return
        if node.target is functional.pad and len(self._option(node, 1, "pad", ())) > 4:
            raise self._refusal(node, "pads more than height and width")
        if node.target in ELEMENTWISE or method in ELEMENTWISE_METHODS:
            return
        raise self._refusal(node)

    def _segments(self, item: Any) -> Segments:
        found = self._values.get(item)
        return found if found is not None else ()

    def _join(self, node: Any, left: Segments, right: Segments) -> None:
        if [group.channels for group in left] != [group.channels for group in right]:
            raise self._refusal(node, "joins values whose channels are made differently")
        for one, other in zip(left, right, strict=True):
            self._unite(one, other)

    def _unite(self, one: Group, other: Group) -> None:
        kept, gone = self._root(one), self._root(other)
        if kept is gone:
            return
        self._joined[gone] = kept
        kept.fixed |= gone.fixed
        kept.makers |= gone.makers
        kept.followers |= gone.followers

    def _root(self, group: Group) -> Group:
        while group in self._joined:
            group = self._joined[group]
        return group

    def _fix(self, node: Any) -> None:
        for item in node.all_input_nodes:
            for group in self._segments(item):
                self._root(group).fixed = True

    @staticmethod
    def _option(node: Any, place: int, name: str, default: Any) -> Any:
        return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)

    def _refusal(self, node: Any, reason: str | None = None) -> InputError:
        kind = type(self._modules[str(node.target)]).__name__ if node.op == "call_module" else node.op
        target = getattr(node.target, "__name__", node.target)
        return InputError(
            f"layer {target!r} ({kind}) cannot be pruned: it {reason or 'is of a kind whose channels are not known'}"
        )
