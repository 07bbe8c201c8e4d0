"""Collect the bytes of a request and check its size. Pure; nothing here waits or sends."""

from __future__ import annotations

from http import HTTPStatus

# A page's address is in it three times: browsers and htmx repeat it in header fields.
MOST_HEAD = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"


class ArrivingRequest:
    """Split the bytes of one connection into HTTP/1 requests.

    Only the length of a request is checked: malformed requests are passed on, and gunicorn refuses
    them. A request that announces a body of more than `most_body` bytes is complete with its head,
    because nobody will read the body.
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
        # The end of the head may have begun in the previous chunk.
        search_start = max(0, len(self._bytes) - len(_END_OF_HEAD))
        if not self._bytes:
            # Empty lines before a request are ignored (RFC 9112, section 2.2).
            chunk = chunk.lstrip(b"\r\n")
        self._bytes += chunk
        if self.has_head:
            return

        end = self._bytes.find(_END_OF_HEAD, search_start)
        head_size = end
        if end < 0:
            # All bytes so far belong to the head.
            head_size = len(self._bytes)
        if head_size > MOST_HEAD:
            self.refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            if b"\r\n" not in self._bytes[: MOST_HEAD // 2]:
                self.refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            return
        if end < 0:
            return

        self._head_size = end + len(_END_OF_HEAD)
        self._read_fields(bytes(self._bytes[:end]))

        if self._body_size > self.most_body:
            self._body_size = 0
            self._is_too_large = True
            self.expects_continue = False

    def take(self) -> bytes:
        """Return the bytes of the complete request, and keep those of the next.

        The head comes without `Expect`, and with `Connection: close` if the body is not read.
        """
        end = self._head_size + self._body_size
        request_line, *fields = bytes(self._bytes[: self._head_size]).split(b"\r\n")
        fields = [field for field in fields if not _is_expectation(field)]
        if self._is_too_large:
            fields.insert(0, b"Connection: close")
        head = b"\r\n".join([request_line, *fields])
        body = bytes(self._bytes[self._head_size : end])

        rest = bytes(self._bytes[end:])
        if self._is_too_large:
            rest = b""
        self._bytes.clear()
        self._head_size = 0
        self._body_size = 0
        self.expects_continue = False
        self._is_too_large = False
        self.feed(rest)
        return head + body

    def _read_fields(self, head: bytes) -> None:
        """Read the header fields that tell the size of the body."""
        lengths = []
        for line in head.split(b"\r\n")[1:]:
            # gunicorn refuses names with spaces around them.
            name, _, value = line.partition(b":")
            match name.lower():
                case b"content-length":
                    lengths.append(value.strip())
                case b"transfer-encoding":
                    # Django reads as many bytes as are announced: here it would read none.
                    self.refusal = HTTPStatus.LENGTH_REQUIRED
                case b"expect":
                    self.expects_continue = _is_expectation(line)

        if len(lengths) == 1 and lengths[0].isdigit():
            self._body_size = int(lengths[0][:20])


def _is_expectation(line: bytes) -> bool:
    name, _, value = line.partition(b":")
    return name.lower() == b"expect" and value.strip().lower() == b"100-continue"
