"""Files that a browser test serves in place of their host."""

from __future__ import annotations

import io
import wave

from playwright.sync_api import Route


def play_silence(route: Route) -> None:
    """Serve twenty seconds of silence by range requests, so that the player can seek."""
    sound = silence(seconds=20)
    start = int(route.request.headers.get("range", "bytes=0-").removeprefix("bytes=").split("-")[0])
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Range": f"bytes {start}-{len(sound) - 1}/{len(sound)}",
    }
    route.fulfill(status=206, body=sound[start:], content_type="audio/wav", headers=headers)


def silence(seconds: int) -> bytes:
    """Return a WAV file of silence."""
    rate = 8_000
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(bytes([128]) * rate * seconds)
    return file.getvalue()
