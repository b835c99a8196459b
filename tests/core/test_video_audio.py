"""Copied sound has the same packets at the same times; where it cannot be copied, the video is whole and says why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from salticid.core.video import VideoReader, VideoWriter
from salticid.core.video_audio import AudioCopy
from salticid.errors import InputError

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from sound_videos import SIZE, scene, sound_packets, write_sound_video  # noqa: E402  # after av was found

ADTS_HEAD = 7  # bytes that stand before each packet of AAC in MPEG-TS


def copied(source, path, *, count=20, codec="h264", prepare=lambda audio: None):
    """Write other pictures with the sound of `source`, and return how the sound went."""
    with AudioCopy(source) as audio:
        prepare(audio)
        with VideoWriter(path, fps=25, width=SIZE[0], height=SIZE[1], codec=codec, audio=audio) as out:
            for index in range(count):
                out.write(scene(index)[::-1])
    return audio


@pytest.mark.parametrize(
    ("source", "sound", "copy", "codec"),
    [
        ("a.mp4", "aac", "b.mp4", "h264"),
        ("a.mp4", "aac", "b.mov", "h264"),
        ("a.mp4", "mp3", "b.mp4", "h264"),
        ("a.mkv", "libopus", "b.mp4", "h264"),
        ("a.mkv", "libopus", "b.webm", "vp9"),
        ("a.mkv", "pcm_s16le", "b.mkv", "ffv1"),
        ("a.mkv", "flac", "b.mp4", "h264"),
    ],
)
def test_every_packet_arrives_unchanged_at_its_time(tmp_path, source, sound, copy, codec):
    write_sound_video(tmp_path / source, sound=sound)
    audio = copied(tmp_path / source, tmp_path / copy, codec=codec)
    assert (audio.tracks, audio.problem) == (1, "")
    (data, times), (copied_data, copied_times) = (sound_packets(tmp_path / name) for name in (source, copy))
    assert len(data) > 5
    assert copied_data == data
    np.testing.assert_allclose(copied_times, times, atol=0.0011)  # Matroska counts milliseconds
    with VideoReader(tmp_path / copy) as video:
        assert len(list(video)) == 20


@pytest.mark.parametrize("copy", ["b.mp4", "b.mkv"])
def test_sound_of_a_broadcast_stream_loses_its_heads_alone(tmp_path, copy):
    write_sound_video(tmp_path / "a.ts")
    audio = copied(tmp_path / "a.ts", tmp_path / copy, prepare=lambda audio: setattr(audio, "origin_s", audio.start_s))
    assert (audio.tracks, audio.problem) == (1, "")
    (data, times), (copied_data, copied_times) = (sound_packets(tmp_path / name) for name in ("a.ts", copy))
    assert copied_data == [packet[ADTS_HEAD:] for packet in data]
    np.testing.assert_allclose(copied_times, np.array(times) - times[0], atol=0.0011)


def test_sound_is_heard_again(tmp_path):
    write_sound_video(tmp_path / "a.mp4")
    copied(tmp_path / "a.mp4", tmp_path / "b.mkv")
    waves = []
    for name in ("a.mp4", "b.mkv"):
        with av.open(str(tmp_path / name)) as file:
            waves.append(np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]))
    assert np.abs(waves[0]).max() > 0.2
    count = min(map(len, waves))
    assert count >= 0.78 * 48_000
    shift = len(waves[1]) - len(waves[0])  # what the head of an MP4 says is to be left out at the start
    np.testing.assert_array_equal(waves[1][max(shift, 0) :], waves[0])


def test_all_tracks_are_copied_with_their_languages(tmp_path):
    write_sound_video(tmp_path / "a.mkv", tracks=2)
    assert copied(tmp_path / "a.mkv", tmp_path / "b.mp4").tracks == 2
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert [track.metadata["language"] for track in file.streams.audio] == ["eng", "deu"]
    for track in (0, 1):
        assert sound_packets(tmp_path / "b.mp4", track)[0] == sound_packets(tmp_path / "a.mkv", track)[0]


def test_sound_lies_among_the_pictures_and_goes_on_after_them(tmp_path):
    write_sound_video(tmp_path / "a.mp4", seconds=3)
    copied(tmp_path / "a.mp4", tmp_path / "b.mkv", count=50)
    with av.open(str(tmp_path / "b.mkv")) as file:
        kinds = [packet.stream.type for packet in file.demux() if packet.size]
    assert kinds.count("audio") == len(sound_packets(tmp_path / "a.mp4")[0])
    assert kinds.index("audio") < 10
    among = kinds[: len(kinds) - kinds[::-1].index("video")]
    assert among.count("audio") >= 90  # two seconds of 47 packets each
    assert kinds[-20:] == ["audio"] * 20


def test_a_container_that_does_not_take_the_codec_has_no_sound_and_says_so(tmp_path):
    write_sound_video(tmp_path / "a.mp4")
    audio = copied(tmp_path / "a.mp4", tmp_path / "b.webm", codec="vp9")
    assert audio.tracks == 0
    assert audio.problem == (
        f"the sound of {tmp_path / 'a.mp4'}: .webm does not take its aac: choose another container, such as .mkv"
    )
    with VideoReader(tmp_path / "b.webm") as video:
        assert not video.info.has_audio
        assert len(list(video)) == 20


def test_a_video_without_sound_is_no_problem(tmp_path):
    write_sound_video(tmp_path / "a.mp4", sound=None)
    audio = copied(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert (audio.tracks, audio.problem) == (0, "")
    assert math.isnan(audio.start_s)


def test_sound_that_breaks_off_is_copied_as_far_as_it_goes(tmp_path):
    path = write_sound_video(tmp_path / "a.mkv", 50, sound="libopus")
    whole = sound_packets(path)[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    copied(path, tmp_path / "b.mp4")
    found = sound_packets(tmp_path / "b.mp4")[0]
    assert 10 < len(found) < len(whole)
    assert found == whole[: len(found)]


def test_sound_ends_where_it_is_told_to(tmp_path):
    write_sound_video(tmp_path / "a.mp4", 50)
    copied(tmp_path / "a.mp4", tmp_path / "b.mp4", prepare=lambda audio: audio.stop_at(1.0))
    assert 0.95 < max(sound_packets(tmp_path / "b.mp4")[1]) <= 1.0


def test_a_packet_that_the_container_refuses_ends_the_sound_and_is_told(tmp_path):
    class Refusing:
        def mux(self, packet):
            raise av.ArgumentError(22, "out of order")

    write_sound_video(tmp_path / "a.mp4")
    with AudioCopy(tmp_path / "a.mp4") as audio, av.open(str(tmp_path / "b.mp4"), "w") as target:
        audio.connect(target, ".mp4")
        audio.send(Refusing())
        audio.send(Refusing())
    assert audio.problem == f"the sound of {tmp_path / 'a.mp4'}: it cannot be copied from 0.0 s on (out of order)"


def test_what_is_no_video_is_an_input_error(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match="not a video that salticid reads"):
        AudioCopy(tmp_path / "a.mp4")
