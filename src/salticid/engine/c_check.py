"""The program that compares an export with the readable definition, and the self-test that an export brings along."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from salticid.core.types import Array
from salticid.engine import c_cases
from salticid.engine.c_cases import Picture
from salticid.engine.c_patch import reach
from salticid.engine.c_text import constants, table, template
from salticid.engine.integer import IntegerNetwork
from salticid.engine.patches import PatchNetwork


def selftest_text(network: IntegerNetwork | PatchNetwork) -> str:
    """Return the self-test, with its inputs and outputs."""
    body = _patch_selftest(network) if isinstance(network, PatchNetwork) else _run_selftest(network)
    return f"#ifndef NET_NO_SELFTEST\n{body}#endif\n"


def check_text(network: IntegerNetwork | PatchNetwork) -> str:
    """Return a program that includes `net.h` and `check.h`."""
    body = _patch_check(network) if isinstance(network, PatchNetwork) else _run_check(network)
    return f'#include "net.h"\n#include "check.h"\n\n{body}'


def _patch_selftest(network: PatchNetwork) -> str:
    data, pixels, outputs = c_cases.selftest_picture(network)
    return "\n".join(
        [
            constants(
                {
                    "TEST_VECTORS": len(pixels),
                    "TEST_WIDTH": data.shape[1] - c_cases.PLANE_STEP * len(network.planes),
                    "TEST_HEIGHT": data.shape[0],
                    "TEST_STRIDE": data.shape[1],
                }
            )
            + f"#define NET_TEST_PLANES {_plane_list(network)}\n",
            table("int16_t", "net_test_data", data),
            table("int16_t", "net_test_pixels", pixels),
            table("int16_t", "net_test_outputs", outputs),
            template("selftest_patch.c"),
        ]
    )


def _run_selftest(network: IntegerNetwork) -> str:
    inputs, outputs = c_cases.selftest_inputs(network)
    return "\n".join(
        [
            constants({"TEST_VECTORS": len(inputs)}),
            table("uint8_t", "net_test_inputs", inputs),
            table("int16_t", "net_test_outputs", outputs),
            template("selftest_run.c"),
        ]
    )


def _run_check(network: IntegerNetwork) -> str:
    inputs, outputs = c_cases.inputs(network)
    return "\n".join(
        [
            f"#define FOUND NET_OUTPUTS\n#define CASES {len(inputs)}\n",
            template("check_compare.c"),
            table("uint8_t", "cases_inputs", inputs),
            table("int16_t", "cases_outputs", outputs),
            template("check_run.c"),
        ]
    )


def _patch_check(network: PatchNetwork) -> str:
    pictures = c_cases.pictures(network)
    around = reach(network.taps)
    defines = {
        "FOUND": max(picture.outputs.size for picture in pictures),
        "PICTURES": len(pictures),
        "LEFT": around.left,
        "RIGHT": around.right,
        "ABOVE": around.above,
        "BELOW": around.below,
        "PLANES": _plane_list(network),
    }
    rows = "".join(f"    {_picture_row(picture, number)},\n" for number, picture in enumerate(pictures))
    return "\n".join(
        [
            "".join(f"#define {name} {value}\n" for name, value in defines.items()),
            template("check_compare.c"),
            template("check_picture.c"),
            *(_picture_tables(picture, number) for number, picture in enumerate(pictures)),
            f"static const picture pictures[PICTURES] = {{\n{rows}}};\n",
            template("check_patch.c"),
        ]
    )


def _picture_tables(picture: Picture, number: int) -> str:
    height, width = picture.mask.shape
    tables: dict[str, Array] = {
        "data": picture.data,
        "mask": picture.mask.astype(np.uint8),
        "outputs": picture.outputs,
        "masked": picture.outputs * picture.mask[:, :, None],
        "region": picture.outputs[height // 3 :, width // 3 :],
    }
    kinds = {"mask": "uint8_t"}
    return "\n".join(table(kinds.get(name, "int16_t"), f"{name}{number}", values) for name, values in tables.items())


def _picture_row(picture: Picture, number: int) -> str:
    height, width = picture.mask.shape
    arrays: Sequence[str] = [f"{name}{number}" for name in ("data", "mask", "outputs", "masked", "region")]
    return f"{{{width}, {height}, {picture.data.shape[1]}, {', '.join(arrays)}}}"


def _plane_list(network: PatchNetwork) -> str:
    return ", ".join(f"data + {c_cases.PLANE_STEP * number}" for number in range(len(network.planes)))
