"""The C of a network of patches: what is called for a pixel, a region, a mask or an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from salticid.engine.c_gather import gather_text
from salticid.engine.c_layout import PackedLayer
from salticid.engine.c_source import dense_calls, function, layers_text, room
from salticid.engine.c_text import constants, template
from salticid.engine.patches import PatchNetwork, Tap

FORWARD = "static void net_forward(uint16_t *even, int16_t *outputs)"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far taps look, px."""

    left: int
    right: int
    above: int
    below: int


def reach(taps: Sequence[Tap]) -> Reach:
    """Return how far from its pixel a network looks."""
    columns, rows = [0, *(tap.dx for tap in taps)], [0, *(tap.dy for tap in taps)]
    return Reach(-min(columns), max(columns), -min(rows), max(rows))


def patch_text(network: PatchNetwork, layers: Sequence[PackedLayer], *, fast: bool) -> str:
    """Return what follows the header's include; `fast`: with more code for less time."""
    around = reach(network.taps)
    found = room(network.network, layers)
    names = {
        "EVEN": found.even,
        "LEFT": around.left,
        "RIGHT": around.right,
        "ABOVE": around.above,
        "BELOW": around.below,
    }
    listed = ", \\\n    ".join(f"(planes)->{name}" for name in network.planes)
    body = [f"uint16_t odd[{found.odd}];"] if found.odd else []
    body.append(f"net_fill_up(even, NET_INPUTS, {2 * layers[0].pairs});")
    return "\n".join(
        [
            layers_text(layers),
            constants(names) + f"#define NET_PLANE_LIST(planes) \\\n    {listed}\n",
            gather_text(network, written_out=fast),
            template("values.c"),
            function(FORWARD, body + dense_calls(layers)),
            template("patch_api.c"),
        ]
    )
