"""How the inputs of a pixel are read: by tables, which is small, or written out tap by tap, which is fast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from salticid.engine.c_source import function
from salticid.engine.c_text import structs, template
from salticid.engine.patches import PatchNetwork, Tap

NO_CENTER = 255
MOST_TAPS_OF_A_GROUP = 255

TYPES = """\
typedef struct {
    int8_t dy, dx;
} net_tap;

/* Neighboring taps that have all but their place in common. */
typedef struct {
    uint8_t plane, center, shift, taps;
} net_group;
"""
INSIDE = "static void net_gather_inside(const net_planes *planes, int32_t x, int32_t y, uint16_t *inputs)"


def gather_text(network: PatchNetwork, *, written_out: bool) -> str:
    """Return `net_gather`; where no tap lies beyond the border, its taps may be written out."""
    groups = _groups(network.taps)
    inside = _written_out(network) if written_out else ["net_gather_by_table(planes, x, y, 1, inputs);"]
    return "\n".join(
        [
            TYPES,
            f"#define NET_GROUPS {len(groups)}\n#define NET_NO_CENTER {NO_CENTER}\n",
            structs("net_tap", "net_taps", [f"{tap.dy}, {tap.dx}" for tap in network.taps]),
            structs("net_group", "net_groups", [_row(taps) for taps in groups]),
            template("patch.c"),
            function(INSIDE, inside),
            template("patch_gather.c"),
        ]
    )


def _groups(taps: Sequence[Tap]) -> list[list[Tap]]:
    """Return the taps in their order, those together that differ in nothing but their place."""
    found = []
    for _, same in groupby(taps, key=lambda tap: (tap.plane, tap.center, tap.shift)):
        group = list(same)
        found += [group[at : at + MOST_TAPS_OF_A_GROUP] for at in range(0, len(group), MOST_TAPS_OF_A_GROUP)]
    return found


def _row(taps: Sequence[Tap]) -> str:
    tap = taps[0]
    center = "NET_NO_CENTER" if tap.center is None else str(tap.center)
    return f"{tap.plane}, {center}, {tap.shift}, {len(taps)}"


def _written_out(network: PatchNetwork) -> list[str]:
    lines = ["const int32_t stride = planes->stride, here = y * stride + x;", "const int16_t *row;", "int32_t from;"]
    number = 0
    for group in _groups(network.taps):
        lines.append(_origin(network, group[0]))
        for dy, taps in groupby(group, key=lambda tap: tap.dy):
            lines.append(f"row = planes->{network.planes[group[0].plane]} + here + {dy} * stride;")
            for tap in taps:
                lines.append(f"inputs[{number}] = net_activation((row[{tap.dx}] - from) >> {tap.shift});")
                number += 1
    return lines


def _origin(network: PatchNetwork, tap: Tap) -> str:
    if tap.center is None:
        return "from = 0;"
    return f"from = net_origin(planes->{network.planes[tap.center]}, here, {tap.shift});"
