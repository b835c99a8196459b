"""Make a network smaller by removing whole channels, in multiples of 8, and keep the result only if it is faster.

    done = prune_if_faster(net, input_shape=(1, 3, 512, 1024), share=0.3, fine_tune=train_a_little, threads=2)
    done.module, done.accepted

The smaller network is a real one: its layers hold fewer numbers, nothing is masked. Channels that are added to each
other or follow each other through depthwise convolutions go together (`channels.py`). Which ones matter least is told
by the scales of batch normalization, or by the sizes of the weights.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from salticid.core.types import Array
from salticid.engine import bench, packages, parity
from salticid.engine.bench import Timing
from salticid.engine.channels import ChannelGroups, Group, channel_groups
from salticid.engine.export_onnx import evaluated, export_onnx
from salticid.engine.session import Session
from salticid.errors import InputError

if TYPE_CHECKING:
    from torch import nn

Importance = Literal["scale", "weights"]

MULTIPLE = 8  # channels that kernels work on at once
LEAST_SPEEDUP = 1.03  # smaller gains are noise


@dataclass(frozen=True, slots=True)
class Pruned:
    """A smaller network."""

    module: nn.Module
    channels: dict[str, tuple[int, int]]  # of each convolution that lost some: before, after
    parameters: tuple[int, int]


@dataclass(frozen=True, slots=True)
class PruneDecision:
    """What became of an attempt."""

    module: nn.Module  # the smaller one, fine-tuned, where accepted; else the one that was given
    accepted: bool
    before: Timing
    after: Timing
    pruned: Pruned


def prune(
    module: nn.Module,
    *,
    share: float,
    importance: Importance = "scale",
    keep: Sequence[str] = (),
    method: str = "forward",
) -> Pruned:
    """Return a copy of `module` without its least important channels.

    Parameters
    ----------
    module
        A convolutional network with one image input; it is not changed.
    share
        Share of all channels to remove, 0 to 0.9. Groups lose more or less of theirs, by their importance, and keep a
        multiple of 8, at least 8.
    importance
        "scale": the absolute scale of batch normalization; "weights": the mean absolute weight of the channel.
    keep
        Names of convolutions whose channels all stay.
    method
        The method that uses all layers, where `forward` leaves some out, such as an auxiliary head.

    Raises
    ------
    InputError
        A layer cannot be handled; the message names it. Or an argument is wrong.
    """
    if not 0 <= share <= 0.9:
        raise InputError(f"share must be between 0 and 0.9, not {share}")
    if not isinstance(module, packages.torch().nn.Module):
        raise InputError(f"a torch module is pruned, not {type(module).__name__}")
    if importance not in get_args(Importance):
        raise InputError(f"importance must be one of {', '.join(get_args(Importance))}, not {importance!r}")
    smaller = copy.deepcopy(module)
    found = channel_groups(smaller, method=method)
    unknown = set(keep) - set(found.outputs)
    if unknown:
        raise InputError(f"there are no layers called {', '.join(sorted(unknown))}")
    kept = _kept_channels(smaller, found, share, importance, set(keep))
    changed = _remove(smaller, found, kept)
    return Pruned(smaller, changed, (_parameters(module), _parameters(smaller)))


def prune_if_faster(
    module: nn.Module,
    *,
    input_shape: Sequence[int],
    share: float,
    fine_tune: Callable[[nn.Module], nn.Module] = lambda smaller: smaller,
    importance: Importance = "scale",
    keep: Sequence[str] = (),
    method: str = "forward",
    threads: int = 1,
    repeats: int = 20,
) -> PruneDecision:
    """Prune `module`, and keep the smaller network only if its exported file is faster.

    Both files are timed in turns before `fine_tune` is called, for weights do not change the time; where the smaller
    one is not at least 3 % faster it is dropped, and nothing is trained.

    Parameters
    ----------
    input_shape
        Shape of the input that both are exported and timed with.
    fine_tune
        Trains the smaller network and returns it.
    threads, repeats
        Threads that compute, and timed rounds.

    Raises
    ------
    InputError
        A layer cannot be handled, or the network cannot be exported.
    """
    pruned = prune(module, share=share, importance=importance, keep=keep, method=method)
    before, after = _timed([module, pruned.module], input_shape, threads, repeats)
    accepted = bool(pruned.channels) and before.median_ms >= LEAST_SPEEDUP * after.median_ms
    return PruneDecision(fine_tune(pruned.module) if accepted else module, accepted, before, after, pruned)


def _kept_channels(
    module: nn.Module, found: ChannelGroups, share: float, importance: Importance, keep: set[str]
) -> dict[Group, Array]:
    """Return the numbers of the channels that stay, for each group that loses some."""
    layers = dict(module.named_modules())
    free = [group for group in found.groups if not (group.fixed or keep & (group.makers | group.followers))]
    scores = {group: _scores(group, layers, importance) for group in free if group.channels > MULTIPLE}
    if not scores:
        return {}
    kept = {}
    for (group, values), staying in zip(scores.items(), _staying(list(scores.values()), share), strict=True):
        wanted = max(MULTIPLE, MULTIPLE * round(staying / MULTIPLE))
        if wanted < group.channels and staying < group.channels:
            kept[group] = np.sort(np.argsort(values, kind="stable")[::-1][:wanted])
    return kept


def _staying(scores: Sequence[Array], share: float) -> list[int]:
    """Return how many channels of each group are not among the `share` of least important ones."""
    # Where scores are equal, as in a network that was never trained, each group loses the same share.
    places = [np.argsort(np.argsort(values, kind="stable")) / len(values) for values in scores]
    order = np.lexsort((np.concatenate(places), np.concatenate(scores)))
    owner = np.repeat(np.arange(len(scores)), [len(values) for values in scores])
    staying = owner[order[round(share * len(order)) :]]
    return [int(count) for count in np.bincount(staying, minlength=len(scores))]


def _scores(group: Group, layers: dict[str, Any], importance: Importance) -> Array:
    """Return the importance of every channel, 1 on average, so that groups can be compared."""
    nn = packages.torch().nn
    held = [layers[name] for name in sorted(group.makers | group.followers)]
    scaling = [layer for layer in held if isinstance(layer, nn.BatchNorm2d) and layer.affine]
    scales = [layer.weight.detach().abs().cpu().numpy() for layer in scaling]
    weights = [layer.weight.detach().abs().mean(dim=(1, 2, 3)).cpu().numpy() for layer in held if _is_conv(layer)]
    chosen = scales if importance == "scale" and any(scale.any() for scale in scales) else weights
    scores: Array = np.mean(
        [values / max(float(values.mean()), np.finfo(np.float32).tiny) for values in chosen], axis=0
    )
    return scores


def _remove(module: nn.Module, found: ChannelGroups, kept: dict[Group, Array]) -> dict[str, tuple[int, int]]:
    """Take the channels that do not stay out of every layer, in place; return what convolutions lost."""
    layers = dict(module.named_modules())
    changed = {}
    for name, group in found.outputs.items():
        layer = layers[name]
        if group in kept:
            before = group.channels
            _keep_outputs(layer, kept[group])
            if _is_conv(layer):
                changed[name] = (before, len(kept[group]))
    for name, segments in found.inputs.items():
        starts = np.cumsum([0, *(group.channels for group in segments)])
        places = [
            kept.get(group, np.arange(group.channels)) + start for group, start in zip(segments, starts, strict=False)
        ]
        _keep_inputs(layers[name], np.concatenate(places))
    return changed


def _keep_outputs(layer: Any, places: Array) -> None:
    """Reduce a convolution, or a normalization, to some of its output channels."""
    torch = packages.torch()
    index = torch.from_numpy(places)
    for name in ("weight", "bias"):
        old = getattr(layer, name, None)
        if old is not None:
            setattr(layer, name, torch.nn.Parameter(old.detach()[index.to(old.device)].clone(), old.requires_grad))
    if not _is_conv(layer):
        for name in ("running_mean", "running_var"):
            if (old := getattr(layer, name)) is not None:
                setattr(layer, name, old[index.to(old.device)].clone())
        layer.num_features = len(places)
        return
    layer.out_channels = len(places)
    if layer.groups > 1:  # depthwise: every output is of one input
        layer.groups = layer.in_channels = len(places)


def _keep_inputs(conv: Any, places: Array) -> None:
    torch = packages.torch()
    if len(places) == conv.in_channels:
        return
    index = torch.from_numpy(places).to(conv.weight.device)
    conv.weight = torch.nn.Parameter(conv.weight.detach()[:, index].clone(), conv.weight.requires_grad)
    conv.in_channels = len(places)


def _is_conv(layer: Any) -> bool:
    return isinstance(layer, packages.torch().nn.Conv2d)


def _parameters(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def _timed(modules: Sequence[nn.Module], input_shape: Sequence[int], threads: int, repeats: int) -> list[Timing]:
    """Return the times of the networks' ONNX files, run in turns."""
    example = parity.random_inputs([input_shape])[0]
    candidates = {}
    with tempfile.TemporaryDirectory(prefix="salticid-prune-") as folder:
        for name, module in zip(("before", "after"), modules, strict=True):
            file = Path(folder) / f"{name}.onnx"
            export_onnx(evaluated(module), file, input_shape=input_shape)
            candidates[name] = _call(Session(file, threads=threads), example)
    return bench.compare(candidates, repeats=repeats)


def _call(session: Session, example: Array) -> Callable[[], object]:
    feeds = {session.inputs[0].name: example}
    return lambda: session.run(feeds)
