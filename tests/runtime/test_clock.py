"""Stages are timed, and add up when they come again."""

from __future__ import annotations

from salticid.runtime.clock import StageClock


def test_a_stage_that_comes_again_adds_up_and_the_order_is_that_of_the_first_time():
    clock = StageClock()
    for stage in ("read", "use", "read"):
        with clock(stage):
            sum(range(1000))
    assert list(clock.latency_ms) == ["read", "use"]
    before = clock.latency_ms["read"]
    clock.add({"read": 5.0, "network": 1.0})
    assert clock.latency_ms["read"] == before + 5
    assert clock.latency_ms["network"] == 1
    assert 0 < clock.latency_ms["use"] < before
