"""Which channels of a network belong together."""

from __future__ import annotations

import pytest
from segmentation_net import nn, segmentation_net, torch

from salticid.engine.channels import channel_groups
from salticid.errors import InputError


def groups_by_layer(net, **options):
    return channel_groups(net, **options).outputs


class Block(nn.Module):
    """Layers a, b, c by name, put together by a function."""

    def __init__(self, way, **layers):
        super().__init__()
        self.way = way
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, image):
        return self.way(self, image)


def test_a_residual_ties_what_is_added_and_a_gate_what_it_weighs():
    found = groups_by_layer(segmentation_net())
    assert found["down.project.0"] is found["same.project.0"] is found["gate.1"]
    assert found["same.expand.0"] is found["same.depthwise.0"] is found["same.expand.1"]
    assert found["same.expand.0"] is not found["down.expand.0"]


def test_only_the_channels_of_the_output_are_fixed():
    found = groups_by_layer(segmentation_net())
    assert {name for name, group in found.items() if group.fixed} == {"head"}


def test_a_concatenation_is_read_in_segments():
    net = Block(
        lambda self, x: self.c(torch.cat((self.a(x), self.b(x)), dim=1)),
        a=nn.Conv2d(3, 16, 1),
        b=nn.Conv2d(3, 24, 1),
        c=nn.Conv2d(40, 2, 1),
    )
    found = channel_groups(net)
    assert [group.channels for group in found.inputs["c"]] == [16, 24]
    assert found.inputs["c"] == (found.outputs["a"], found.outputs["b"])


def test_a_layer_used_twice_ties_its_inputs():
    net = Block(
        lambda self, x: self.c(self.b(self.b(self.a(x)))),
        a=nn.Conv2d(3, 16, 1),
        b=nn.Conv2d(16, 16, 1),
        c=nn.Conv2d(16, 2, 1),
    )
    found = groups_by_layer(net)
    assert found["a"] is found["b"]


def test_the_size_of_a_value_is_not_its_channels():
    net = Block(
        lambda self, x: self.b(nn.functional.interpolate(self.a(x), size=(x.shape[2] // 2, x.size(3) // 2))),
        a=nn.Conv2d(3, 16, 1),
        b=nn.Conv2d(16, 2, 1),
    )
    found = channel_groups(net)
    assert found.inputs["b"] == (found.outputs["a"],)


def test_another_method_than_forward_can_be_traced():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 16, 1), nn.Conv2d(16, 2, 1)
            self.more = nn.Conv2d(16, 2, 1)

        def forward(self, x):
            return self.b(self.a(x))

        def both(self, x):
            y = self.a(x)
            return self.b(y), self.more(y)

    assert "more" not in channel_groups(Two()).inputs
    assert "more" in channel_groups(Two(), method="both").inputs


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (
            lambda: Block(lambda self, x: self.b(self.a(x)), a=nn.Conv2d(3, 16, 1), b=nn.Conv2d(16, 16, 1, groups=4)),
            r"layer 'b' \(Conv2d\) cannot be pruned: it has 4 groups for 16 channels",
        ),
        (
            lambda: Block(lambda self, x: self.b(self.a(x)), a=nn.Conv2d(3, 16, 1), b=nn.PixelShuffle(2)),
            r"layer 'b' \(PixelShuffle\) cannot be pruned",
        ),
        (
            lambda: Block(lambda self, x: self.a(x).reshape(1, -1), a=nn.Conv2d(3, 16, 1)),
            r"layer 'reshape' \(call_method\) cannot be pruned",
        ),
        (
            lambda: Block(lambda self, x: self.a(x)[:, :8], a=nn.Conv2d(3, 16, 1)),
            r"layer 'getitem' \(call_function\) cannot be pruned",
        ),
        (
            lambda: Block(lambda self, x: nn.functional.pad(self.a(x), (0, 0, 0, 0, 0, 8)), a=nn.Conv2d(3, 16, 1)),
            "pads more than height and width",
        ),
        (
            lambda: Block(lambda self, x: self.a(x).mean(1), a=nn.Conv2d(3, 16, 1)),
            "averages over other axes than height and width",
        ),
        (
            lambda: Block(
                lambda self, x: torch.cat((self.a(x), self.b(x)), 1) + self.c(x),
                a=nn.Conv2d(3, 8, 1),
                b=nn.Conv2d(3, 8, 1),
                c=nn.Conv2d(3, 16, 1),
            ),
            "joins values whose channels are made differently",
        ),
        (
            lambda: Block(lambda self, x: self.a(x) if x.sum() > 0 else x, a=nn.Conv2d(3, 16, 1)),
            "Block.forward cannot be traced, its way depends on values",
        ),
    ],
)
def test_what_the_rules_do_not_cover_is_an_input_error_that_names_the_layer(net, words):
    with pytest.raises(InputError, match=words):
        channel_groups(net())


def test_a_layer_that_is_called_by_keyword_is_followed():
    class Keyword(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 4, 1)

        def forward(self, image):
            return self.second(input=self.first(input=image))

    assert channel_groups(Keyword()).outputs["first"].channels == 16
