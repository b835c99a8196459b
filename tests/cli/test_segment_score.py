"""What `salticid eval segment` says of a score."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer

from salticid.cli.output import Output
from salticid.cli.segment_score import report_score
from salticid.errors import InputError
from salticid.segment.evaluate import SegmentScore

CONFUSION = np.array([[6, 2, 0], [0, 2, 0], [0, 0, 0]])


def score(*failed):
    return SegmentScore(("Road", "Car", "Sky"), CONFUSION, 3, failed, {"network": 20.0}, "onnxruntime", "cpu", "fp32")


def test_a_person_sees_each_class_and_the_means(capsys):
    report_score(Output(), score(), None, overwrite=False)
    out = capsys.readouterr().out
    assert "mIoU 62.50 %, pixel accuracy 80.00 % on 3 images; 20.0 ms each (onnxruntime, cpu, fp32)" in out
    assert [line.split() for line in out.splitlines() if line.strip().startswith(("Road", "Car", "Sky"))] == [
        ["Road", "75"],
        ["Car", "50"],
        ["Sky", "-"],
    ]


def test_a_program_gets_all_of_it_and_a_file_too(capsys, tmp_path):
    report_score(Output(json=True), score(), tmp_path / "score.json", overwrite=False)
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "score.json").read_text())
    assert report["iou"] == {"Road": 0.75, "Car": 0.5, "Sky": None}
    assert (report["miou"], report["pixel_accuracy"], report["confusion"]) == (0.625, 0.8, CONFUSION.tolist())
    with pytest.raises(InputError, match="exists"):
        report_score(Output(quiet=True), score(), tmp_path / "score.json", overwrite=False)


def test_images_that_could_not_be_judged_are_named_and_exit_1(capsys):
    with pytest.raises(typer.Exit) as leaving:
        report_score(Output(json=True), score(("a.png", "a.png is empty")), None, overwrite=False)
    assert leaving.value.exit_code == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["failed"] == [{"image": "a.png", "reason": "a.png is empty"}]
    assert "failed: a.png: a.png is empty" in captured.err
