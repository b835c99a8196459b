"""Cards are complete or they are refused; the shipped ones are true."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salticid.engine.cards import CARDS, HubFile, NpmMember, PackageFile, WheelMember, card, cards, family, read_card
from salticid.errors import InputError

CARD = """\
name = "toy"
task = "segment"
file = "toy.onnx"
sha256 = "{sha}"
bytes = 5
license = "Apache-2.0"
training = {{ data = "none", license = "none" }}
contract = {{ input = "x: float32 (1,)", output = "y: float32 (1,)" }}
metric = {{ name = "error in px", value = 1, command = "python bench/toy.py" }}
source = {{ kind = "package" }}
"""
TEXT = CARD.format(sha="0" * 64)


@pytest.fixture
def read(tmp_path):
    """Return a function that writes the text of a card and reads it."""

    def write_and_read(text: str):
        path = tmp_path / "toy.toml"
        path.write_text(text, encoding="utf-8")
        return read_card(path)

    return write_and_read


def test_a_card_is_read_into_typed_values(read):
    toy = read(TEXT)
    assert (toy.name, toy.bytes, toy.metric.value, toy.source) == ("toy", 5, 1.0, PackageFile())
    assert isinstance(toy.metric.value, float)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{ kind = "wheel", wheel = "a-1-py3-none-any.whl", member = "a/b.onnx" }', WheelMember),
        ('{ kind = "npm", package = "@a/b@1", member = "b.onnx" }', NpmMember),
        (f'{{ kind = "hub", repository = "a/b", revision = "{"a" * 40}", member = "b.onnx" }}', HubFile),
    ],
)
def test_every_kind_of_source_is_read(read, source, expected):
    assert isinstance(read(TEXT.replace('{ kind = "package" }', source)).source, expected)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("bytes = 5\n", "", "the key bytes is missing"),
        ("bytes = 5", "bytes = 5\nlicence = 1", "unknown key licence; known are name, task"),
        ("bytes = 5", "bytes = true", "bytes = True must be of type int"),
        ("bytes = 5", 'bytes = "5"', "bytes = '5' must be of type int"),
        ("bytes = 5", "bytes = 0", "bytes = 0 is not valid"),
        ('"Apache-2.0"', '""', "license = '' must be of type str and not empty"),
        ('"segment"', '"sing"', "task = 'sing' is not valid"),
        ("0000", "000G", "sha256 = .* is not valid"),
        ('"toy.onnx"', '"../toy.onnx"', "file = '../toy.onnx' is not valid"),
        ('"toy"', '"other"', "name = 'other' must be the name of the file, 'toy'"),
        (', license = "none"', "", "the key training.license is missing"),
        ("value = 1,", "value = 1, unit = 2,", "unknown key metric.unit"),
        ("value = 1,", "", "the key metric.value is missing"),
        ('{ kind = "package" }', '"package"', "source.kind must be one of package, wheel, npm, hub, not None"),
        ('"package"', '"url"', "source.kind must be one of package, wheel, npm, hub, not 'url'"),
        ('"package"', '"npm", package = "a@1"', "the key source.member is missing"),
        ('"package"', '"npm", package = "a@1", member = "../a"', "source.member = '../a' is not a plain"),
        ('"package"', '"npm", package = "a@1", member = "/etc/passwd"', "not a plain relative path"),
        ('"package"', '"hub", repository = "a/b", revision = "main", member = "c"', "a branch can move"),
        ("bytes = 5", "bytes = ", "Invalid value"),
    ],
)
def test_a_wrong_card_is_an_input_error_that_names_file_and_key(read, old, new, words):
    assert old in TEXT
    with pytest.raises(InputError, match=words) as caught:
        read(TEXT.replace(old, new, 1))
    assert "toy.toml" in str(caught.value)


def test_a_card_that_is_absent_or_no_text_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"gone\.toml"):
        read_card(tmp_path / "gone.toml")
    (tmp_path / "toy.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"toy\.toml"):
        read_card(tmp_path / "toy.toml")


def test_a_card_that_was_read_is_read_again_when_its_file_has_changed(read):
    assert read(TEXT).license == "Apache-2.0"
    assert read(TEXT.replace("Apache-2.0", "MIT")).license == "MIT"
    with pytest.raises(InputError, match="is missing"):
        read(TEXT.replace("bytes = 5", "# nothing"))


@given(line=st.integers(0, TEXT.count("\n") - 1))
@settings(max_examples=20)
def test_no_line_of_a_card_can_be_left_out(tmp_path_factory, line):
    lines = TEXT.splitlines()
    path = tmp_path_factory.mktemp("card") / "toy.toml"
    path.write_text("\n".join(lines[:line] + lines[line + 1 :]))
    with pytest.raises(InputError, match="is missing"):
        read_card(path)


def test_an_unknown_name_is_an_input_error_with_the_nearest_names():
    with pytest.raises(InputError, match=r"no model 'blazepose-ful': did you mean blazepose-full"):
        card("blazepose-ful")
    with pytest.raises(InputError, match="did you mean"):
        card("../../etc/passwd")


def test_what_several_names_begin_with_means_all_of_them_unless_one_is_called_so():
    names = [card.name for card in family("blazepose")]
    assert names == ["blazepose-detector", "blazepose-full", "blazepose-heavy", "blazepose-lite"]
    assert [card.name for card in family("fastseg-camvid")] == ["fastseg-camvid"]
    with pytest.raises(InputError, match="no model 'blazepos': did you mean"):
        family("blazepos")


def test_all_shipped_cards_are_complete_and_what_they_ship_is_there():
    shipped = cards()
    assert {"blazepose-detector", "blazepose-lite", "blazepose-full", "blazepose-heavy"} <= set(shipped)
    for name, one in shipped.items():
        assert one == card(name)
        if isinstance(one.source, PackageFile):
            assert (CARDS / one.file).stat().st_size == one.bytes
