"""`python -m tools.sandbox.sample.media_make`: draw the media anew (needs requirements-dev.txt)."""

from __future__ import annotations

from pathlib import Path

from tools.sandbox.sample import MEDIA
from tools.sandbox.sample.media_clips import draw_audio, draw_video
from tools.sandbox.sample.media_images import draw_images
from tools.sandbox.sample.media_pages import draw_pages


def main(folder: Path = MEDIA) -> None:
    """Write every media file of the sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (draw_images, draw_audio, draw_video, draw_pages):
        draw(folder)


if __name__ == "__main__":
    main()
