"""Collect the bytes of a request and check its size. Pure; nothing here waits or sends."""

from __future__ import annotations

from http import HTTPStatus

# Gunicorn takes header fields of 8 KiB; browsers send a few in all.
MOST_HEAD = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"


class ArrivingRequest:
    """Collect the bytes of HTTP/1 requests on one connection, and give them away one whole request
    at a time.

    Nothing is judged but how long a request is: what is malformed is given away for gunicorn to
    refuse. A request whose body announces more than `most_body` bytes is whole with its head, since
    nobody will read more of it.
    """

    def __init__(self, *, most_body: int) -> None:
        self.most_body = most_body
        self.expects_continue = False
        self.refusal: HTTPStatus | None = None
        self._bytes = bytearray()
        self._head_size = 0
        self._body_size = 0
        self._is_too_large = False

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def has_head(self) -> bool:
        """Whether the head has arrived."""
        return self._head_size > 0

    @property
    def is_whole(self) -> bool:
        """Whether `take` may be called."""
        return self.has_head and len(self._bytes) >= self._head_size + self._body_size

    def feed(self, chunk: bytes) -> None:
        """Add bytes that have arrived."""
        # The end of the head may have begun in the chunk before.
        seen = max(0, len(self._bytes) - len(_END_OF_HEAD))
        # Empty lines before a request mean nothing (RFC 9112, section 2.2).
        self._bytes += chunk if self._bytes else chunk.lstrip(b"\r\n")
        if not self.has_head:
            self._find_head(seen)

    def take(self) -> bytes:
        """Return the bytes of the whole request, and keep those of the next."""
        end = self._head_size + self._body_size
        head = self._rewritten_head()
        body = bytes(self._bytes[self._head_size : end])

        behind = bytes(self._bytes[end:])
        if self._is_too_large:
            behind = b""
        self._bytes.clear()
        self._head_size = self._body_size = 0
        self.expects_continue = self._is_too_large = False
        self.feed(behind)
        return head + body

    def _find_head(self, seen: int) -> None:
        end = self._bytes.find(_END_OF_HEAD, seen)
        if end < 0 and len(self._bytes) <= MOST_HEAD:
            return
        if end < 0 or end > MOST_HEAD:
            self.refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return

        self._head_size = end + len(_END_OF_HEAD)
        lengths = []
        for line in bytes(self._bytes[:end]).split(b"\r\n")[1:]:
            # gunicorn refuses names with spaces around them.
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    lengths.append(value.strip())
                case b"transfer-encoding":
                    # Django reads as many bytes as are announced, so it would take such a body for
                    # an empty one.
                    self.refusal = HTTPStatus.LENGTH_REQUIRED
                case b"expect":
                    self.expects_continue = _is_expectation(line)

        if len(lengths) == 1 and lengths[0].isdigit():
            self._body_size = int(lengths[0][:20])
        if self._body_size > self.most_body:
            self._body_size = 0
            self._is_too_large = True
            self.expects_continue = False

    def _rewritten_head(self) -> bytes:
        """Return the head without `Expect`, which is answered; closing if the body is not read."""
        request_line, *fields = bytes(self._bytes[: self._head_size]).split(b"\r\n")
        fields = [field for field in fields if not _is_expectation(field)]
        if self._is_too_large:
            fields.insert(0, b"Connection: close")
        return b"\r\n".join([request_line, *fields])


def _is_expectation(line: bytes) -> bool:
    name, _, value = line.partition(b":")
    return name.lower() == b"expect" and value.strip().lower() == b"100-continue"
