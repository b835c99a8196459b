"""What a user can choose about stereo matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from salticid.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class StereoOptions(Options):
    """Options of `StereoMatcher`; distances in pixels of the rectified views."""

    engine: Literal["opencv"] = option("opencv", help="who matches")
    mode: Literal["bm", "sgbm", "3way", "hh", "hh4"] = option(
        "hh4", help="block matching, or semi-global matching along 5, 3, 8 or 4 paths"
    )
    min_disparity: int = option(0, help="smallest disparity to look for, px", minimum=-4096, maximum=4096)
    num_disparities: int = option(
        128, help="how many disparities to look at, px; rounded up to a multiple of 16", minimum=1, maximum=4096
    )
    block_size: int | None = option(
        None, help="width of the matching window, px (default: 5; 15 for bm)", minimum=1, maximum=51, odd=True
    )
    uniqueness_percent: int = option(
        10, help="how much worse the second best match must be, percent", minimum=0, maximum=100
    )
    left_right_px: int = option(
        1, help="largest difference between left and right disparity, px; -1: no check", minimum=-1, maximum=64
    )
    speckle_area_px: int = option(
        100, help="islands of disparity up to this area are removed, px; 0: none", minimum=0, maximum=1_000_000
    )
    speckle_range_px: int = option(
        2, help="disparity step that separates islands, px (bm: 1/16 px)", minimum=1, maximum=64
    )
    full_width: bool = option(True, help="match the left border as far as the right view shows it")

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "speed": {"mode": "3way"},
        "quality": {"mode": "hh4"},
        "memory": {"mode": "3way", "full_width": False},
    }
