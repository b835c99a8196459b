"""What a user can choose about stereo matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from salticid.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class StereoOptions(Options):
    """Options of `StereoMatcher`; distances in pixels of the rectified views."""

    engine: Literal["native", "opencv"] | None = option(
        None, help="who matches (default: native; opencv where no kernels were built, or as the mode says)"
    )
    mode: Literal["sgm8", "sgm4", "hh4", "hh", "sgbm", "3way", "bm"] | None = option(
        None, help="sgm: native, 8 or 4 paths; opencv: the others (default: by paths)"
    )
    paths: int = option(
        8,
        help="directions along which costs are added up: 8 or, faster, 4; a mode that is named decides",
        minimum=4,
        maximum=8,
        multiple_of=4,
    )
    window: Literal["5x5", "7x7", "9x7"] = option("7x7", help="surroundings that are compared, px (native)")
    coarse_to_fine: bool = option(
        False,
        help="search near what the views show at half size: faster, may miss what is thin (native)",
    )
    low_memory: bool = option(
        False, help="less memory, for large views. native: slower, same result; opencv: 3way, without the left border"
    )
    min_disparity: int = option(0, help="smallest disparity to look for, px", minimum=-4096, maximum=4096)
    num_disparities: int = option(
        128, help="how many disparities to look at, px (opencv: rounded up to 16)", minimum=1, maximum=4096
    )
    block_size: int | None = option(
        None, help="width of the matching window, px (opencv; default: 5, 15 for bm)", minimum=1, maximum=51, odd=True
    )
    uniqueness_percent: int | None = option(
        None,
        help="how much worse the second best match must be, percent (default: 0, from coarse to fine 3; opencv 10)",
        minimum=0,
        maximum=100,
    )
    left_right_px: int = option(
        1,
        help="largest difference of left and right disparity, px; -1: no check (opencv, but bm: 0 counts as 1)",
        minimum=-1,
        maximum=64,
    )
    speckle_area_px: int = option(
        100, help="islands of disparity up to this area are removed, px; 0: none", minimum=0, maximum=1_000_000
    )
    speckle_range_px: int = option(
        2, help="disparity step that separates islands, px (bm: 1/16 px)", minimum=1, maximum=64
    )
    refine: bool = option(
        False, help="a disparity for every pixel: holes filled, edges set right, and how sure each pixel is"
    )
    refine_by: Literal["network", "classical"] = option(
        "network", help="who refines: a network of 8 KB, or rules alone, which leave guesses without confidence"
    )
    full_width: bool = option(True, help="match the left border as far as the right view shows it")

    PROFILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "speed": {"paths": 4, "coarse_to_fine": True},
        "quality": {"paths": 8},
        "memory": {"paths": 8, "low_memory": True},
    }

    # The modes of each engine.
    MODES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "native": ("sgm8", "sgm4"),
        "opencv": ("hh4", "hh", "sgbm", "3way", "bm"),
    }
