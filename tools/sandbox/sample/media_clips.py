"""Makes the short melodies and moving pictures with PyAV; run by developers through media_make.py."""

from __future__ import annotations

import math
import random
from array import array
from pathlib import Path

import av
from PIL import Image, ImageDraw

from tools.sandbox.sample.media_images import Colour, emblem, gradient, mix, rgb
from tools.sandbox.sample.scenes import FIRMS

AUDIO = 16
VIDEO = 16
RATE = 22_050
FRAMES = 36
_SCALES = ((0, 2, 4, 7, 9, 12), (0, 3, 5, 7, 10, 12), (0, 2, 3, 7, 8, 12))


def draw_audio(folder: Path) -> None:
    """Write the melodies, MP3 of about three seconds."""
    for number in range(AUDIO):
        _write_audio(folder / f"audio-{number:02d}.mp3", _melody(number))


def _melody(number: int) -> array[int]:
    chance = random.Random(f"melody {number}")  # noqa: S311 - must come out the same each time
    scale = chance.choice(_SCALES)
    root = chance.choice([196.0, 220.0, 261.6, 293.7])
    length = int(RATE * chance.choice([0.22, 0.28, 0.36]))
    samples = array("h")
    for _note in range(3 * RATE // length):
        note = chance.choice(scale)
        pitch = root * 2 ** (note / 12)
        for step in range(length):
            t = step / RATE
            loud = math.exp(-5 * t) * min(1.0, step / 200)
            tone = math.sin(math.tau * pitch * t) + 0.4 * math.sin(2 * math.tau * pitch * t)
            samples.append(int(11_000 * loud * tone))
    return samples


def _write_audio(path: Path, samples: array[int]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=RATE)
        stream.layout = "mono"
        stream.bit_rate = 40_000
        frame = av.AudioFrame(format="s16p", layout="mono", samples=len(samples))
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def draw_video(folder: Path) -> None:
    """Write the clips (MP4, three seconds) and a thumbnail of each."""
    for number in range(VIDEO):
        frames = [_frame(number, moment / FRAMES) for moment in range(FRAMES)]
        frames[FRAMES // 3].save(folder / f"video-{number:02d}.webp", "WEBP", quality=60, method=6)
        _write_video(folder / f"video-{number:02d}.mp4", frames)


def _frame(number: int, t: float) -> Image.Image:
    dark, light, goods, sign = FIRMS[sorted(FIRMS)[number % len(FIRMS)]]
    ink = rgb(dark)
    paper = rgb(light)
    image = gradient((426, 240), mix(paper, (255, 255, 255), 0.3), mix(ink, paper, 0.45))
    draw = ImageDraw.Draw(image)
    for dot in range(6):
        _drifting(draw, number * 7 + dot, t, mix(ink, paper, 0.3 + dot / 10))
    centre = (213 + 150 * math.sin(math.tau * t), 110 + 34 * math.cos(math.tau * t * 2))
    emblem(draw, sign, centre, 84, ink)
    draw.rectangle((0, 204, 426, 240), fill=ink)
    draw.rectangle((0, 200, round(426 * t), 204), fill=paper)
    draw.text((12, 214), f"{goods}  clip {number + 1:02d}", fill=paper)
    return image


def _drifting(draw: ImageDraw.ImageDraw, seed: int, t: float, colour: Colour) -> None:
    x = (seed * 97 + 426 * t) % 480 - 27
    y = 30 + (seed * 53) % 150
    r = 10 + seed % 5 * 5
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _write_video(path: Path, frames: list[Image.Image]) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width = 426
        stream.height = 240
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "30", "preset": "veryslow"}
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(image)))
        container.mux(stream.encode(None))
