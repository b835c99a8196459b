"""The other verbs, and what all verbs have in common."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest

import salticid as package
from salticid.cli import demo_motion
from salticid.cli.output import Output
from salticid.cli.page import Page
from salticid.core import native
from salticid.core.image import read_image, write_image
from salticid.engine import cards

VERBS = ["doctor", "demo", "stereo match", "stereo simulate", "eval stereo", "models list", "models get"]
VERBS += ["models verify", "cache info", "cache clear", "eval refine", "train refine", "export"]
VERBS += ["motion baseline", "motion score", "motion simulate", "eval motion", "train motion"]
VERBS += ["upscale", "eval upscale", "train upscale"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_has_the_common_flags(salticid, verb):
    done = salticid(*verb.split(), "--help")
    assert done.code == 0
    for flag in ("--json", "--quiet", "--verbose"):
        assert flag in done.out


def test_no_arguments_show_the_help(salticid):
    done = salticid()
    assert "stereo" in done.out + done.err
    assert "doctor" in done.out + done.err


def test_the_version_is_the_package_s(salticid):
    assert salticid("--version").out == f"salticid {package.__version__}\n"


def test_an_unknown_verb_is_exit_2_and_the_nearest_is_named(salticid):
    done = salticid("stero")
    assert done.code == 2
    assert "'stereo'" in done.err


def test_a_verb_is_run_without_importing_the_others(tmp_path):
    code = "import sys; from salticid.cli import main; sys.argv = ['salticid', 'cache', 'info', '-q']\ntry: main()\n"
    code += "finally: print(*(name for name in sys.modules if name.startswith('salticid.cli.')), file=sys.stderr)"
    environment = os.environ | {"SALTICID_CACHE": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert {name.rpartition(".")[2] for name in done.stderr.split()} == {"app", "cache", "flags", "output"}


def test_doctor_tells_what_is_here_and_what_to_do_about_the_rest(salticid, monkeypatch):
    monkeypatch.setattr(native, "load", lambda: None)
    monkeypatch.setattr(native, "instruction_sets", lambda: ())
    monkeypatch.setattr(native, "reason", lambda: "the kernels were not built: install a C++ compiler")
    findings = {entry["what"]: entry for entry in json.loads(salticid("doctor", "--json").out)}
    assert findings["native kernels"]["state"] == "missing"
    assert "compiler" in findings["native kernels"]["advice"]
    assert findings["numpy"]["state"] == "ok"
    assert re.search(r"\d GB free", findings["memory"]["detail"])


def test_doctor_names_the_extra_that_brings_a_missing_package(salticid, monkeypatch):
    from importlib import metadata

    def version(name):
        if name == "openvino":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    assert "pip install 'salticid[openvino]'" in salticid("doctor").out


def test_the_demo_writes_a_page_that_needs_nothing_else(salticid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = salticid("demo", "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    page = (tmp_path / "out" / "report.html").read_text()
    pictures = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([^\"]+)", page)]
    assert len(pictures) == 17
    assert all(read_image(picture).std() > 5 for picture in pictures)  # none is black
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "showCloud(" in page
    rows = json.loads(done.out)["rows"]
    assert [row["profile"] for row in rows] == ["speed", "quality"]
    assert all(row["bad-2 %"] < 5 and row["depth error mm"] < 5 for row in rows)
    assert (tmp_path / "out" / "cloud.ply").stat().st_size > 1_000_000
    moved = json.loads(done.out)["motion"]
    assert moved["inside"] is False
    assert "knee_swing_peak.right" in moved["notable"]
    assert 10 < moved["true_change_deg"] < 30
    assert (tmp_path / "out" / "motion" / "report.html").stat().st_size > 50_000
    enlarged = json.loads(done.out)["upscale"]
    assert enlarged["fast"]["psnr_db"] > enlarged["bicubic"]["psnr_db"] + 1
    for there in ("report.html", "cloud.ply", "drawn.png", "motion/report.html"):
        again = salticid("demo", "-o", tmp_path / "out")
        assert again.code == 2
        assert f"{there} exists" in again.err
        (tmp_path / "out" / there).unlink()


def test_without_scipy_the_demo_leaves_motion_out_and_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    page = Page("demo")
    assert demo_motion.show_motion(page, tmp_path, Output(quiet=True), overwrite=False) is None
    assert "pip install 'salticid[motion]'" in html.unescape(page.html())
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_which_variable_points_to_no_data(salticid, tmp_path, monkeypatch):
    monkeypatch.setenv("SALTICID_DATA", str(tmp_path / "none"))
    done = salticid("demo", "-o", tmp_path / "out")
    assert done.code == 2
    assert "SALTICID_DATA" in done.err
    assert not (tmp_path / "out").exists()


def test_the_cache_verbs_make_nothing_and_refuse_what_is_no_folder(salticid, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("SALTICID_CACHE", str(tmp_path / "mine"))
    assert salticid("cache", "info").code == 0
    assert salticid("cache", "clear").code == 0
    assert list((tmp_path / "mine").iterdir()) == []
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SALTICID_CACHE", str(tmp_path / "file"))
    assert salticid("cache", "info").code == 2


def test_the_demo_shows_a_real_pair_where_there_is_data(salticid, tmp_path):
    from salticid.stereo.simulate import simulate_pair

    simulate_pair(160, 120).save(tmp_path / "data" / "stereo" / "set" / "kitchen")
    done = salticid("demo", "-o", tmp_path / "out", "--data", tmp_path / "data", "--json")
    pairs = {row["pair"] for row in json.loads(done.out)["rows"]}
    assert pairs == {"simulated", "real: kitchen"}


def test_the_demo_labels_streets_where_there_is_data(salticid, tmp_path):
    camvid = tmp_path / "data" / "segmentation" / "camvid"
    for split in ("train", "val"):
        (camvid / split).mkdir(parents=True)
        (camvid / f"{split}annot").mkdir()
        for number in range(4):
            labels = np.full((48, 64), 255 if number == 2 else number, np.uint8)
            write_image(camvid / split / f"{number}.png", labels[..., None] * np.uint8([60, 30, 20]))
            write_image(camvid / f"{split}annot" / f"{number}.png", labels)
    (camvid / "val" / "0.png").write_bytes(b"no image")
    names = package.Segmenter("fastseg-camvid", threads=1).names[::-1]  # the data may have them in another order
    (camvid / "meta.json").write_text(json.dumps({"classes": names}))
    done = salticid("demo", "-o", tmp_path / "out", "--data", tmp_path / "data", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["segment"]
    assert 0 <= found["miou"] <= 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert found["failed"] == 1
    assert page.count("wrong in red: 0.0 %") == 2  # where all is void: as alternative text and below the picture
    assert "0.png" in page  # cannot be shown
    assert "on 3 validation images of CamVid. 1 more could not be judged" in page
    assert "Bicyclist" in page


def test_the_demo_asks_for_the_names_of_the_classes_before_it_works(salticid, tmp_path):
    for folder in ("train", "trainannot"):
        (tmp_path / "segmentation" / "camvid" / folder).mkdir(parents=True)
    write_image(tmp_path / "segmentation" / "camvid" / "train" / "a.png", np.zeros((8, 8), np.uint8))
    done = salticid("demo", "-o", tmp_path / "out", "--data", tmp_path)
    assert done.code == 2
    assert "meta.json" in done.err
    assert not (tmp_path / "out").exists()


def test_models_are_listed_and_an_absent_one_says_what_to_type(salticid):
    listed = json.loads(salticid("models", "list", "--json").out)
    assert {"blazepose-detector", "blazepose-full"} <= {entry["name"] for entry in listed}
    states = {entry["name"]: entry["status"] for entry in listed}
    in_the_package = {name for name, card in cards.cards().items() if card.source.KIND == "package"}
    assert {"refine", "fastseg-camvid-int8", "gait-autoencoder", "upscale-fast-x4-int8"} <= in_the_package
    assert {states.pop(name) for name in in_the_package} == {"ready"}
    assert set(states.values()) == {"absent"}
    done = salticid("models", "verify", "blazepose-full")
    assert done.code == 1
    assert "salticid models get blazepose-full" in done.err


def test_an_unknown_model_is_exit_2_and_names_the_nearest(salticid):
    done = salticid("models", "get", "blazepose-ful")
    assert done.code == 2
    assert "blazepose-full" in done.err


def test_models_whose_names_begin_alike_are_got_together(salticid, monkeypatch, tmp_path):
    monkeypatch.setattr("salticid.engine.models.fetch", lambda card, **_: tmp_path / card.name)
    told = json.loads(salticid("models", "get", "blazepose", "blazepose-full", "--json").out)
    assert {entry["name"]: entry["path"] for entry in told} == {
        name: str(tmp_path / name)
        for name in ("blazepose-detector", "blazepose-full", "blazepose-heavy", "blazepose-lite")
    }
    assert len(told) == 4


def test_the_cache_can_be_looked_at_and_cleared(salticid):
    from salticid.runtime.cache import ArrayCache, cache_key, default_root

    assert json.loads(salticid("cache", "info", "--json").out)["entries"] == 0
    with ArrayCache(default_root(), max_bytes=1 << 26) as cache:
        cache.put(cache_key(content=b"x", parameters={}, version="1"), {"a": np.zeros(1000)})
    assert json.loads(salticid("cache", "info", "--json").out)["entries"] == 1
    assert json.loads(salticid("cache", "clear", "--json").out)["freed_bytes"] >= 8000
    assert json.loads(salticid("cache", "info", "--json").out)["entries"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_evaluation_leaves_no_process_and_no_half_written_file(tmp_path, ending):
    from salticid.stereo.simulate import simulate_pair

    for seed in range(40):
        (tmp_path / "set" / f"s{seed}").mkdir(parents=True)
    simulate_pair(640, 480).save(tmp_path / "set" / "s0")
    for seed in range(1, 40):
        for file in (tmp_path / "set" / "s0").iterdir():
            os.link(file, tmp_path / "set" / f"s{seed}" / file.name)
    command = [sys.executable, "-m", "salticid", "eval", "stereo", str(tmp_path), "-o", str(tmp_path / "report.json")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr.readline().startswith("scenes: ")
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.send_signal(ending)
    process.communicate(timeout=10)
    assert process.returncode != 0
    assert not psutil.wait_procs(workers, timeout=5)[1]
    assert not list(tmp_path.glob("*report*"))
