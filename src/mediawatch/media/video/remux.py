"""Copy the picture into an MP4 without touching it; the sound is copied, encoded, or made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from av.container import InputContainer

from mediawatch.media.rules import MAX_SOUND_RATE
from mediawatch.media.video.check import Chains
from mediawatch.media.video.facts import Facts
from mediawatch.media.video.plan import Plan, Track
from mediawatch.media.video.reading import picture_of, reading, sound_of
from mediawatch.media.video.sound import Voice
from mediawatch.media.video.writing import writing

_EVERY = 256  # packets between two looks at the clock
_LARGE = 16 << 20  # bytes of a file that is not written twice
_AAC_FRAME = 1024  # samples


class Damaged(Exception):
    """A packet of the picture is not whole: copying it would publish the damage."""


def remux(
    source: Path, target: Path, facts: Facts, plan: Plan, progress: Callable[[float], None]
) -> None:
    """Write ``target``. ``progress`` hears what share is done, 0 to 1.

    Raises Damaged, FFmpegError.
    """
    with (
        reading(source, facts.demuxer) as container,
        writing(target, packets=_packets(container, facts)) as output,
    ):
        picture = picture_of(container)
        if picture is None:
            raise Damaged
        sound = sound_of(container) if facts.sound else None
        chains = Chains(picture.codec_context.extradata)
        shown = output.add_stream_from_template(picture)
        shown.metadata.clear()
        shown.set_display_matrix(None)
        copied = (
            output.add_stream_from_template(sound) if plan.sound is Track.COPY and sound else None
        )
        if copied is not None:
            copied.metadata.clear()
        voice = Voice(output, facts.seconds) if copied is None else None
        base = float(picture.time_base or 1)
        start = picture.start_time or 0
        origin = start * base
        wanted: list[Any] = [picture] if sound is None else [picture, sound]
        for number, packet in enumerate(container.demux(wanted)):
            if packet.stream_index == picture.index:
                if packet.dts is None:
                    continue
                if not chains.holds(memoryview(packet)):
                    raise Damaged
                if number % _EVERY == 0:
                    progress(min(1.0, (packet.dts - start) * base / facts.seconds))
                packet.pts = None if packet.pts is None else packet.pts - start
                packet.dts -= start
                packet.stream = shown
                output.mux(packet)
            elif voice is not None:
                voice.push(packet, origin)
            elif copied is not None and sound is not None and packet.dts is not None:
                shift = round(origin / float(sound.time_base or 1))
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts -= shift
                if packet.dts * float(sound.time_base or 1) < facts.seconds:
                    packet.stream = copied
                    output.mux(packet)
        if voice is not None:
            voice.finish(facts.seconds)


def _packets(container: InputContainer, facts: Facts) -> int | None:
    """How many packets there will be, where that is known and worth to know."""
    if facts.demuxer != "mov" or facts.size < _LARGE:
        return None
    sound = facts.seconds * MAX_SOUND_RATE.value / _AAC_FRAME + 100
    return sum(len(stream.index_entries) for stream in container.streams) + round(sound)
