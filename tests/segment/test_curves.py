"""A training's table comes back as it was written, and its picture is one."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from salticid.errors import IntegrityError
from salticid.segment.curves import Epoch, read_csv, write_csv, write_svg

EPOCHS = [
    Epoch(1, 2.5, 1e-3, math.nan, 1.25),
    Epoch(2, 1 / 3, 5e-4, 0.625, 1.0),
    Epoch(3, 0.25, 1e-5, 0.75, 2.0),
]


def test_what_was_written_comes_back_to_the_last_digit(tmp_path):
    write_csv(tmp_path / "curve.csv", EPOCHS)
    back = read_csv(tmp_path / "curve.csv")
    assert back[1:] == EPOCHS[1:]
    assert math.isnan(back[0].miou)


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", "epoch,loss,learning_rate,miou,seconds\n1,x,0,0,0\n", "a\n1\n"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "curve.csv").write_text(text)
    with pytest.raises(IntegrityError, match="no table of a training"):
        read_csv(tmp_path / "curve.csv")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_picture_shows_what_is_known_of_each_epoch(tmp_path, count):
    write_svg(tmp_path / "curve.svg", EPOCHS[:count])
    root = ElementTree.parse(tmp_path / "curve.svg").getroot()
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points").split()) for line in lines] == [count, max(0, count - 1)]
    assert "nan" not in (tmp_path / "curve.svg").read_text()
