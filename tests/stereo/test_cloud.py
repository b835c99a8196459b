"""Point clouds: every known pixel is a point, and PLY keeps them exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.errors import InputError
from salticid.stereo.calibration import Calibration
from salticid.stereo.cloud import PointCloud, from_disparity

RIG = Calibration.rectified(focal_px=500, baseline_mm=60, center_px=(2, 1), image_size=(5, 3))


def test_every_known_pixel_becomes_a_point_with_its_color():
    disparity_px = np.full((3, 5), np.nan, np.float32)
    disparity_px[1, 2], disparity_px[0, 4] = 30, 15
    colors = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    cloud = from_disparity(disparity_px, RIG, colors=colors)
    assert cloud.points.tolist() == [[8, -4, 2000], [0, 0, 1000]]
    assert cloud.colors.tolist() == [colors[0, 4].tolist(), colors[1, 2].tolist()]


def test_gray_becomes_color_and_another_size_is_refused():
    disparity_px = np.full((3, 5), 30, np.float32)
    assert from_disparity(disparity_px, RIG, colors=np.full((3, 5), 7, np.uint8)).colors.tolist() == [[7, 7, 7]] * 15
    with pytest.raises(InputError, match="colors are"):
        from_disparity(disparity_px, RIG, colors=np.zeros((2, 2), np.uint8))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 50), st.booleans(), st.integers(0, 2**32 - 1))
def test_ply_keeps_points_and_colors_exactly(tmp_path_factory, count, colored, seed):
    random = np.random.default_rng(seed)
    points = random.normal(0, 1000, (count, 3)).astype(np.float32)
    cloud = PointCloud(points, random.integers(0, 256, (count, 3), np.uint8) if colored else None)
    path = tmp_path_factory.mktemp("ply") / "a.ply"
    cloud.save(path)
    again = PointCloud.load(path)
    assert np.array_equal(again.points, points)
    assert (again.colors is None) == (not colored)
    assert not colored or np.array_equal(again.colors, cloud.colors)


def test_a_ply_of_another_program_with_more_properties_is_read(tmp_path):
    header = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 2\nproperty double x\nproperty double y\n"
        "property double z\nproperty float nx\nelement face 0\nproperty list uchar int vertex_indices\nend_header\n"
    )
    body = np.array([(1, 2, 3, 9), (4, 5, 6, 9)], "<f8,<f8,<f8,<f4").tobytes()
    (tmp_path / "a.ply").write_bytes(header.encode() + body)
    assert PointCloud.load(tmp_path / "a.ply").points.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_broken_files_are_input_errors(tmp_path):
    path = tmp_path / "a.ply"
    PointCloud(np.zeros((4, 3), np.float32)).save(path)
    whole = path.read_bytes()
    for data, message in [
        (whole[:-1], "truncated"),
        (b"", "truncated, or not a PLY"),
        (b"png" + whole[3:], "not a binary little-endian PLY"),
        (whole.replace(b"binary_little", b"binary_bigxxx"), "not a binary little-endian"),
        (whole.replace(b"property float x", b"property list x"), "none of the types"),
        (whole.replace(b"property float x", b"property list uchar int x"), "none of the types"),
        (whole.replace(b"property float x", b"property float w"), "must have x, y, z"),
        (whole.replace(b"property float x", b"property float x\nproperty float x"), "each property once"),
        (whole.replace(b"float x", b"float x\n" + b"".join(b"property char a%d\n" % i for i in range(999))), "256"),
        (whole.replace(b"vertex 4", b"vertex " + b"9" * 30), "first element"),
        (whole.replace(b"vertex 4", b"vertex 999999999999"), "truncated"),
        (whole.replace(b"element vertex", b"element facess"), "first element"),
    ]:
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            PointCloud.load(path)
    with pytest.raises(InputError, match="No such file"):
        PointCloud.load(tmp_path / "none.ply")


def ply(fields, values):
    properties = "".join(f"property {field}\n" for field in fields)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex 1\n{properties}end_header\n"
    return header.encode() + values


def test_what_float32_and_uint8_cannot_hold_is_refused(tmp_path):
    path = tmp_path / "a.ply"
    xyz = ["double x", "double y", "double z"]
    path.write_bytes(ply(xyz, np.array([1e300, 0, 0]).tobytes()))
    with pytest.raises(InputError, match="which float32 cannot hold"):
        PointCloud.load(path)
    path.write_bytes(ply([*xyz, "float red", "float green", "float blue"], bytes(36)))
    with pytest.raises(InputError, match="must be uchar"):
        PointCloud.load(path)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"use \.ply"):
        PointCloud(np.zeros((1, 3), np.float32)).save(tmp_path / "a.obj")


def test_the_picture_of_a_cloud_shows_it_and_an_empty_cloud_is_a_dark_picture():
    grid = np.stack(
        [*np.meshgrid(np.linspace(-200, 200, 200), np.linspace(-150, 150, 150)), np.full((150, 200), 700)], -1
    )
    cloud = PointCloud(grid.reshape(-1, 3).astype(np.float32), np.full((30000, 3), (250, 10, 10), np.uint8))
    picture = cloud.draw(320, 240)
    assert picture.shape == (240, 320, 3)
    assert (picture == (250, 10, 10)).all(axis=2).mean() > 0.15
    assert (PointCloud(np.zeros((0, 3), np.float32)).draw(32, 24) == 24).all()
