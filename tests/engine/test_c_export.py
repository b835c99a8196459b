"""What an export to C consists of, without a compiler."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_networks import dense_network, image_network, integer_layer, plain_patch_network, refinement_network

from salticid.engine.c_export import export_c
from salticid.engine.c_layout import MOST_NARROW_SUM, packed
from salticid.engine.integer import IntegerNetwork
from salticid.errors import InputError


def half_words(word):
    """Return the two signed numbers of a word."""
    return [(int(word) >> at & 0xFFFF ^ 0x8000) - 0x8000 for at in (0, 16)]


def low_byte(number):
    return (number & 0xFF ^ 0x80) - 0x80


def sums_by_words(one, activations):
    """Add up what the words of a packed layer hold, as the C does, in Python's whole numbers."""
    x = [*activations, *[0] * (2 * one.pairs - len(activations))]
    per_pair = 4 if one.wide else 2
    found = []
    for block in range(len(one.start) // 4):
        sums = [int(value) for value in one.start[4 * block : 4 * block + 4]]
        for pair in range(one.pairs):
            two = x[2 * pair : 2 * pair + 2]
            at = (block * one.pairs + pair) * per_pair
            for k, word in enumerate(one.weights[at : at + per_pair]):
                halves = half_words(word)
                target = k if one.wide else 2 * k
                sums[target] += sum(h * v for h, v in zip(halves, two, strict=True))
                if not one.wide:
                    sums[target + 1] += sum(low_byte(h) * v for h, v in zip(halves, two, strict=True))
        assert all(abs(value) < 1 << 31 for value in sums)
        found += sums if one.wide else [(sums[0] - sums[1]) >> 8, sums[1], (sums[2] - sums[3]) >> 8, sums[3]]
    return found[: one.units]


@given(
    seed=st.integers(0, 1000),
    units=st.integers(1, 9),
    inputs=st.integers(1, 60),
    kind=st.sampled_from(["int8", "int16"]),
)
def test_the_words_of_a_layer_give_the_sums_of_its_weights(seed, units, inputs, kind):
    random = np.random.default_rng(seed)
    layer = integer_layer(random, (units, inputs), relu=True)
    one = packed(layer, kind)
    assert one.wide == (kind == "int16")
    assert one.pairs % one.unroll == 0
    activations = random.choice([0, 127, 64, 1], inputs).tolist()
    expected = layer.weights.astype(int) @ activations + layer.bias
    assert sums_by_words(one, activations) == expected.tolist()


@given(units=st.integers(1, 300), kind=st.sampled_from(["int8", "int16"]))
def test_a_layer_reads_no_activation_that_the_layer_before_has_not_written(units, kind):
    random = np.random.default_rng(0)
    before = packed(integer_layer(random, (units, 1), relu=True), kind)
    after = packed(integer_layer(random, (1, units), relu=True), kind)
    assert units <= 2 * after.pairs <= len(before.start)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_layer_is_stored_wide_exactly_where_narrow_sums_could_overflow(beyond):
    layer = integer_layer(np.random.default_rng(0), (2, 4), relu=False)
    weights = np.array([[127] * 4, [127] * 4], np.int8)
    bias = np.full(2, MOST_NARROW_SUM - 4 * 127 * 127 + beyond, np.int32)
    one = packed(replace(layer, weights=weights, bias=bias), "int8")
    assert one.wide == bool(beyond)
    assert sums_by_words(one, [127] * 4) == [MOST_NARROW_SUM + beyond] * 2


def test_an_export_is_one_source_one_header_and_a_report_for_programs(tmp_path):
    report = export_c(refinement_network(), tmp_path / "firmware", prefix="fine")
    assert sorted(path.name for path in (tmp_path / "firmware").iterdir()) == ["fine.c", "fine.h", "fine.json"]
    stored = json.loads((tmp_path / "firmware" / "fine.json").read_text())
    assert stored["macs"] == report.macs == 49 * 32 + 32 * 16 + 16 * 4
    assert stored["files"] == [path.name for path in report.files] == ["fine.c", "fine.h", "fine.json"]
    assert stored["planes"] == ["rows", "filled", "near", "far", "confidence", "gray"]
    assert stored["layers"][0] == {
        "kind": "dense",
        "shape": [32],
        "macs": 1568,
        "weight_bits": 8,
        "bytes": 50 * 32 + 32 * 4,
        "largest_sum": refinement_network().network.layers[0].largest_sum(),
    }
    assert (stored["host"], stored["board"]) == (None, None)


def test_wider_weights_are_the_same_numbers_in_twice_the_room(tmp_path):
    narrow, wide = (export_c(refinement_network(), tmp_path / kind, weights=kind) for kind in ("int8", "int16"))
    assert [layer.weight_bits for layer in (*narrow.layers, *wide.layers)] == [8] * 3 + [16] * 3
    assert wide.number_bytes - narrow.number_bytes == 50 * 32 + 32 * 16 + 16 * 4
    assert [layer.largest_sum for layer in narrow.layers] == [layer.largest_sum for layer in wide.layers]


@pytest.mark.parametrize("network", [refinement_network, plain_patch_network, image_network])
def test_every_name_starts_with_the_prefix_and_nothing_is_included_but_integers(tmp_path, network):
    export_c(network(), tmp_path, prefix="eye2")
    source, header = ((tmp_path / name).read_text() for name in ("eye2.c", "eye2.h"))
    assert set(re.findall(r"#include (\S+)", source + header)) == {'"eye2.h"', "<stdint.h>", "<arm_acle.h>"}
    assert re.findall(r"\b(net|NET)_", source + header) == []
    functions = re.findall(
        r"^(?:static |EYE2_INLINE |inline )*(?:void|int|\w+_t) \*?(\w+)\(", source + header, re.MULTILINE
    )
    assert functions
    assert [name for name in functions if not name.startswith("eye2_")] == []


def test_the_header_proves_that_no_sum_overflows(tmp_path):
    network = refinement_network()
    export_c(network, tmp_path)
    header = (tmp_path / "refine.h").read_text()
    for number, layer in enumerate(network.network.layers):
        assert f"layer {number}, dense {len(layer.weights)}: {layer.largest_sum()} " in header


def test_scratch_holds_the_images_between_convolutions_and_what_a_pixel_needs(tmp_path):
    report = export_c(image_network(), tmp_path)
    window, units = 36, 8  # values of 16 bits: 6 * 2 * 3 and 6 filled up; the dense layer reads 60
    assert report.scratch_bytes == 2 * (max(window, 60) + units) + 6 * 7 * 6 + 5 * 4 * 3
    assert "#define REFINE_SCRATCH " + str(report.scratch_bytes // 2) in (tmp_path / "refine.h").read_text()


def test_existing_files_are_kept_unless_overwriting_was_asked_for(tmp_path):
    (tmp_path / "refine.h").write_text("mine")
    with pytest.raises(InputError, match=r"refine\.h exists"):
        export_c(plain_patch_network(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["refine.h"]
    assert (tmp_path / "refine.h").read_text() == "mine"
    export_c(plain_patch_network(), tmp_path, overwrite=True)
    assert "refine_planes" in (tmp_path / "refine.h").read_text()


@pytest.mark.parametrize("prefix", ["", "Refine", "2d", "a-b", "int", "class", "../x", "_x"])
def test_a_prefix_that_is_no_name_in_c_is_refused(tmp_path, prefix):
    with pytest.raises(InputError, match="prefix must be lower case letters"):
        export_c(plain_patch_network(), tmp_path, prefix=prefix)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["width", "net_x", "for", "a b", "", "größe", "new", "x;"])
def test_a_map_whose_name_is_none_in_c_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=f"the map {name!r} cannot have that name in C"):
        export_c(replace(plain_patch_network(), planes=(name,)), tmp_path)


def test_more_maps_than_a_byte_can_number_are_refused(tmp_path):
    names = tuple(f"map{k}" for k in range(256))
    with pytest.raises(InputError, match="at most 255 maps can be exported, not 256"):
        export_c(replace(plain_patch_network(), planes=names), tmp_path)
    export_c(replace(plain_patch_network(), planes=names[:255]), tmp_path)


@pytest.mark.parametrize("choice", [{"weights": "int4"}, {"verify": "board"}])
def test_an_unknown_choice_is_refused_with_those_that_there_are(tmp_path, choice):
    with pytest.raises(InputError, match=r"must be one of .*'(int16|qemu)', not '(int4|board)'"):
        export_c(plain_patch_network(), tmp_path, **choice)


def test_two_maps_of_one_name_are_refused(tmp_path):
    good = refinement_network()
    with pytest.raises(InputError, match="maps must have different names"):
        export_c(replace(good, planes=("rows", *good.planes[:5])), tmp_path)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        export_c(image_network(), tmp_path / folder)
    for name in ("refine.c", "refine.h", "refine.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_layer_whose_sums_need_it_is_reported_with_16_bits(tmp_path):
    network = dense_network([3, 4, 2])
    heavy = replace(network.layers[0], bias=np.full(4, MOST_NARROW_SUM, np.int32))
    report = export_c(IntegerNetwork((heavy, network.layers[1]), (3,), 1.0, 0), tmp_path)
    assert [layer.weight_bits for layer in report.layers] == [16, 8]
