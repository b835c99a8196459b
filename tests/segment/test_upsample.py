"""Upsampling and argmax in one: the labels that computing everything gives, bit by bit, from every kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.core import native
from salticid.errors import InputError, MissingError
from salticid.segment.upsample import SCALES, upsample_argmax, upsample_argmax_reference

needs_kernels = pytest.mark.skipif(native.load() is None, reason=native.reason())

LARGEST = np.finfo(np.float32).max
EPSILON = np.finfo(np.float32).eps

# What logits are drawn from: the harder it is to tell two of them apart, the better.
KINDS = {
    "any": lambda random, shape: random.normal(size=shape) * 5,
    "few values": lambda random, shape: random.integers(-1, 2, shape),
    "equal but for rounding": lambda random, shape: random.normal() * (1 + random.integers(-3, 4, shape) * EPSILON),
    "equal at most positions": lambda random, shape: (
        random.normal(size=shape[1:]) * (1 + random.integers(0, 2, shape) * EPSILON)
    ),
    "huge": lambda random, shape: random.choice([-1, -0.5, 1 - EPSILON, 1], shape) * LARGEST,
    "tiny": lambda random, shape: random.integers(-3, 4, shape) * 1e-45,
    "of all magnitudes": lambda random, shape: random.normal(size=shape) * 10.0 ** random.integers(-44, 38, shape),
    "regions": lambda random, shape: regions(random, shape),
}


def regions(random, shape):
    """Logits as of a network: one class far above the others in most places, and noise."""
    classes, height, width = shape
    steps = random.integers(0, classes, (height // 5 + 1, width // 5 + 1)).repeat(5, 0).repeat(5, 1)
    return 8 * (steps[:height, :width] == np.arange(classes)[:, None, None]) + random.normal(size=shape)


def draw(kind, shape, seed=0):
    return KINDS[kind](np.random.default_rng(seed), shape).astype(np.float32)


shapes = st.tuples(st.integers(1, 40), st.integers(1, 12), st.integers(1, 24))
some_logits = st.builds(draw, st.sampled_from(list(KINDS)), shapes, st.integers(0, 10**6))


def test_two_positions_by_hand():
    # Of the way from the first position to the second, the four pixels between them have gone 1/8, 3/8, 5/8, 7/8.
    logits = np.array([[[3, 0]], [[0, 2]]], np.float32)
    assert upsample_argmax(logits, scale=4)[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    logits = np.array([[[1, 0]], [[0, 4]]], np.float32)  # they meet at 1/5
    assert upsample_argmax(logits, scale=4)[0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


def test_a_class_can_win_between_positions_and_at_none_of_them():
    logits = np.array([[[4, 0]], [[0, 4]], [[3, 3]]], np.float32)
    assert upsample_argmax(logits)[0].tolist() == [0] * 6 + [2] * 4 + [1] * 6


def test_beyond_the_outermost_positions_their_logits_go_on():
    logits = draw("any", (6, 3, 4))
    labels, at_positions = upsample_argmax(logits, scale=8), logits.argmax(0)
    assert (labels[:4, :4] == at_positions[0, 0]).all()
    assert (labels[-4:, -4:] == at_positions[-1, -1]).all()


@pytest.mark.parametrize("kind", ["few values", "equal but for rounding"])
def test_of_equal_logits_the_lowest_class_wins(kind):
    plane = draw(kind, (1, 7, 9))
    assert not upsample_argmax(np.repeat(plane, 12, axis=0)).any()


@needs_kernels
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("threads", [1, 3])
@given(logits=some_logits)
@settings(max_examples=60)
def test_every_kernel_gives_the_labels_of_the_reference(scale, threads, logits):
    expected = upsample_argmax_reference(logits, scale=scale)
    for name in native.instruction_sets():
        labels = upsample_argmax(logits, scale=scale, threads=threads, instruction_set=name)
        np.testing.assert_array_equal(labels, expected, name)


@given(logits=some_logits, scale=st.sampled_from(SCALES), data=st.data())
@settings(max_examples=60)
def test_a_size_gives_the_top_left_of_all_labels(logits, scale, data):
    _, height, width = logits.shape
    size = data.draw(st.tuples(st.integers(1, height * scale), st.integers(1, width * scale)))
    expected = upsample_argmax_reference(logits, scale=scale)[: size[0], : size[1]]
    np.testing.assert_array_equal(upsample_argmax(logits, scale=scale, size=size), expected)
    np.testing.assert_array_equal(upsample_argmax_reference(logits, scale=scale, size=size), expected)


@given(logits=some_logits, scale=st.sampled_from(SCALES))
@settings(max_examples=40)
def test_whoever_wins_has_the_greatest_logit_in_exact_arithmetic_but_for_rounding(logits, scale):
    labels = upsample_argmax(logits, scale=scale)
    random = np.random.default_rng(0)
    for y, x in zip(random.integers(0, labels.shape[0], 5), random.integers(0, labels.shape[1], 5), strict=True):
        exact, magnitude = exactly(logits, scale, y, x)
        assert max(exact) - exact[labels[y, x]] <= magnitude / 2**21 + Fraction(1, 2**145)


def exactly(logits, scale, y, x):
    """Return the logits of a pixel as fractions, and the largest magnitude that they were made from."""

    def neighbors(pixel, count):
        place = min(max(Fraction(2 * int(pixel) + 1, 2 * scale) - Fraction(1, 2), 0), count - 1)
        before = int(place)
        return [(before, 1 - (place - before)), (min(before + 1, count - 1), place - before)]

    _, height, width = logits.shape
    corners = [(i, j, p * q) for i, p in neighbors(y, height) for j, q in neighbors(x, width)]
    of_class = [[(Fraction(float(plane[i, j])), weight) for i, j, weight in corners] for plane in logits]
    exact = [sum(value * weight for value, weight in pairs) for pairs in of_class]
    return exact, max(abs(value) for pairs in of_class for value, _ in pairs)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", ["any", "regions"])
def test_torch_labels_the_same(scale, kind):
    torch = pytest.importorskip("torch")
    logits = draw(kind, (19, 21, 34))
    upsampled = torch.nn.functional.interpolate(
        torch.from_numpy(logits)[None], scale_factor=scale, mode="bilinear", align_corners=False
    )[0].numpy()
    second, first = np.sort(upsampled, axis=0)[-2:]
    clear = first - second > 4 * np.spacing(np.abs(upsampled).max(axis=0))  # it rounds products and sums together
    labels = upsample_argmax(logits, scale=scale)
    np.testing.assert_array_equal(labels[clear], upsampled.argmax(0)[clear])
    assert clear.mean() > 0.999


def test_onnxruntime_labels_the_same():
    pytest.importorskip("onnx")
    from salticid.engine import packages

    logits = draw("regions", (11, 20, 30))
    session = packages.onnxruntime().InferenceSession(resize_and_argmax(), providers=["CPUExecutionProvider"])
    (labels,) = session.run(None, {"logits": logits[None]})
    np.testing.assert_array_equal(upsample_argmax(logits), labels[0])


def resize_and_argmax():
    """Return an ONNX model: Resize by 8, then ArgMax."""
    from onnx import helper, numpy_helper

    scales = numpy_helper.from_array(np.array([1, 1, 8, 8], np.float32), "scales")
    options = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    nodes = [
        helper.make_node("Resize", ["logits", "", "scales"], ["upsampled"], **options),
        helper.make_node("ArgMax", ["upsampled"], ["labels"], axis=1, keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("logits", 1, [1, None, None, None])]
    outputs = [helper.make_tensor_value_info("labels", 7, [1, None, None])]
    graph = helper.make_graph(nodes, "resize_and_argmax", inputs, outputs, [scales])
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()


@pytest.mark.parametrize("scale", SCALES)
def test_the_largest_numbers_stay_finite_at_every_pixel_so_that_no_infinity_is_compared(scale):
    one_class = np.full((1, 2, 2), LARGEST, np.float32)
    with np.errstate(all="raise"):
        upsample_argmax_reference(np.concatenate([one_class, -one_class]), scale=scale)


@pytest.mark.parametrize(
    "view",
    [
        lambda logits: logits[2:9, 3:8, 5:17],
        lambda logits: logits[:, ::-1],
        lambda logits: logits[::-1, :, ::-1],
        lambda logits: logits[::3, ::2, ::2],
        lambda logits: logits.transpose(2, 0, 1),
        lambda logits: logits[:, :, 7:8],
        lambda logits: np.asfortranarray(logits),
        lambda logits: np.broadcast_to(logits[4], logits.shape),
        lambda logits: np.ndarray(logits.shape, np.float32, bytes(1) + logits.tobytes(), 1),  # between two addresses
    ],
)
def test_strides_do_not_matter(view):
    logits = view(draw("any", (12, 10, 20)))
    before = logits.copy()
    np.testing.assert_array_equal(upsample_argmax(logits, threads=2), upsample_argmax_reference(before))
    np.testing.assert_array_equal(logits, before)


@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[:24, :40],
        lambda image: image[24:0:-1, 3:43],
        lambda image: image[:24, 40:0:-1],
        lambda image: image[::2, ::2][:24, :40],
        lambda image: image.T[:24, :40],
    ],
)
def test_labels_go_to_out_of_any_strides_and_nowhere_else(view):
    logits, image = draw("any", (5, 3, 5)), np.full((99, 99), 77, np.uint8)
    out = view(image)
    assert upsample_argmax(logits, out=out) is out
    np.testing.assert_array_equal(out, upsample_argmax_reference(logits))
    out[...] = 77
    assert (image == 77).all()


def test_out_may_even_lie_in_the_logits():
    logits = draw("any", (5, 3, 5))
    expected = upsample_argmax_reference(logits)
    memory = np.zeros(24 * 40, np.uint8)
    within = memory[: logits.nbytes].view(np.float32).reshape(logits.shape)
    within[...] = logits
    np.testing.assert_array_equal(upsample_argmax(within, out=memory.reshape(24, 40)), expected)


def test_read_only_logits_are_read():
    logits = draw("any", (5, 3, 5))
    logits.flags.writeable = False
    np.testing.assert_array_equal(upsample_argmax(logits), upsample_argmax_reference(logits))


def test_more_threads_than_rows_are_allowed():
    logits = draw("regions", (5, 3, 5))
    np.testing.assert_array_equal(upsample_argmax(logits, threads=1000), upsample_argmax_reference(logits))


def test_255_classes_are_labelled():
    logits = draw("regions", (255, 6, 11))
    labels = upsample_argmax(logits)
    np.testing.assert_array_equal(labels, upsample_argmax_reference(logits))
    assert labels.max() > 200


def test_callers_in_several_threads_do_not_disturb_each_other():
    many = [draw("regions", (9, 20, 30), seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda logits: upsample_argmax(logits, threads=2), many))
    for logits, labels in zip(many, found, strict=True):
        np.testing.assert_array_equal(labels, upsample_argmax_reference(logits))


def test_without_kernels_the_reference_answers(monkeypatch):
    logits = draw("regions", (5, 6, 7))
    expected = upsample_argmax(logits, size=(30, 50))
    monkeypatch.setattr(native, "load", lambda: None)
    np.testing.assert_array_equal(upsample_argmax(logits, size=(30, 50), threads=2), expected)
    out = np.empty((30, 50), np.uint8)
    assert upsample_argmax(logits, size=(30, 50), out=out) is out
    np.testing.assert_array_equal(out, expected)
    with pytest.raises(MissingError, match="avx2"):
        upsample_argmax(logits, instruction_set="avx2")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0, 0), (4, 0, 3), (0, 2, 30), (4, 5, 30)])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_logit_that_is_not_finite_is_named(value, place, threads):
    logits = draw("any", (5, 6, 31))
    logits[place] = value
    says = f"class {place[0]} at row {place[1]}, column {place[2]} is {value}"
    with pytest.raises(InputError, match=says):
        upsample_argmax(logits, threads=threads)
    with pytest.raises(InputError, match=says):
        upsample_argmax_reference(logits)


@pytest.mark.parametrize("step", [upsample_argmax, upsample_argmax_reference])
def test_a_logit_on_which_no_label_depends_may_be_anything(step):
    logits = draw("any", (5, 6, 31))
    expected = step(logits)
    logits[:, 4:], logits[:, :, 20:] = np.nan, np.inf
    # Rows of positions have their centers at pixels 3.5, 11.5, 19.5, 27.5: pixel 27 is the last one before the fourth.
    np.testing.assert_array_equal(step(logits, size=(28, 156)), expected[:28, :156])
    for size in ((29, 156), (28, 157)):
        with pytest.raises(InputError, match="finite"):
            step(logits, size=size)


@pytest.mark.parametrize(
    ("logits", "says"),
    [
        ([[[1.0]]], "list"),
        (np.zeros((2, 4, 4)), "float64"),
        (np.zeros((2, 4, 4), np.float16), "float16"),
        (np.zeros((2, 4, 4), ">f4"), ">f4"),
        (np.zeros((4, 4), np.float32), r"\(4, 4\)"),
        (np.zeros((1, 2, 4, 4), np.float32), r"\(1, 2, 4, 4\)"),
        (np.zeros((0, 4, 4), np.float32), "1 to 255 classes"),
        (np.zeros((256, 4, 4), np.float32), "1 to 255 classes"),
        (np.zeros((2, 0, 4), np.float32), "1x1"),
        (np.zeros((2, 4, 0), np.float32), "1x1"),
    ],
)
@pytest.mark.parametrize("step", [upsample_argmax, upsample_argmax_reference])
def test_what_are_no_logits_is_refused_by_what_it_is(step, logits, says):
    with pytest.raises(InputError, match=says):
        step(logits)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scale": 3}, "2, 4, 8, 16, 32, not 3"),
        ({"scale": 1}, "not 1"),
        ({"scale": 8.0}, "8.0"),
        ({"scale": True}, "True"),
        ({"size": (33, 40)}, r"at most \(32, 40\)"),
        ({"size": (32, 41)}, r"\(32, 41\)"),
        ({"size": (0, 8)}, r"\(0, 8\)"),
        ({"size": (8, -8)}, r"\(8, -8\)"),
        ({"size": 8}, "not 8"),
        ({"size": (8, 8, 8)}, r"\(8, 8, 8\)"),
        ({"size": (8.0, 8)}, "8.0"),
        ({"threads": 0}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": 1.0}, "threads"),
        ({"instruction_set": "sse9"}, "avx512, avx2, neon, scalar"),
        ({"out": np.zeros((32, 39), np.uint8)}, r"\(32, 39\)"),
        ({"out": np.zeros((32, 40), np.int8)}, "int8"),
        ({"out": [0]}, "list"),
        ({"out": np.zeros((32, 40), np.uint8), "size": (8, 8)}, r"\(8, 8\)"),
        ({"out": np.broadcast_to(np.uint8(0), (32, 40))}, "cannot be written"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(options, says):
    with pytest.raises(InputError, match=says):
        upsample_argmax(draw("any", (3, 4, 5)), **options)
