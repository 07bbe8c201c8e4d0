"""Media behind signed links that expire, and the links put into documents.

A blob whose `url` is relative (`media/x.png` or `x.png`) lives in the data folder's `media/`; http,
https and s3 urls belong to others and are passed on as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tools.sandbox.rules.validation import Json

MISSING = "The file is not in storage"


class LinkRefused(Exception):
    """A media link is not honoured; `code` and the message are what S3 would say."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Library:
    """The media folder and the secret its links are signed with; `lifetime` in seconds."""

    folder: Path | None
    secret: str
    lifetime: int

    def find(self, name: str) -> Path | None:
        """Return the file `name` under the folder, or None; never a file outside the folder."""
        if self.folder is None or "\0" in name:
            return None
        path = (self.folder / name).resolve()
        is_inside = path.is_relative_to(self.folder.resolve())
        if not is_inside or not path.is_file():
            return None
        return path

    def sign(self, name: str, expires: int) -> str:
        """Return the signature that lets `name` be read until `expires` (unix seconds)."""
        return hmac.new(
            self.secret.encode(),
            f"{name}\n{expires}".encode(),
            hashlib.sha256,
        ).hexdigest()

    def link(self, base_url: str, name: str) -> str:
        """Return a link to `name` that works for `lifetime` seconds."""
        expires = int(time.time()) + self.lifetime
        return (
            f"{base_url}/media/{quote(name)}?Expires={expires}&Signature={self.sign(name, expires)}"
        )

    def verify(self, name: str, expires: str, signature: str) -> None:
        """Raise `LinkRefused` unless the link was made by us and has not expired."""
        if not expires or not signature:
            raise LinkRefused("AccessDenied", "Access Denied")
        if not expires.isascii() or not expires.isdigit() or not signature.isascii():
            raise LinkRefused("AccessDenied", "Invalid date or signature")
        if not hmac.compare_digest(self.sign(name, int(expires)), signature):
            raise LinkRefused(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match",
            )
        if time.time() > int(expires):
            raise LinkRefused("AccessDenied", "Request has expired")

    def presign(self, document: Any, base_url: str) -> Any:
        """Return the document with its blobs and its url-shaped fields made into links.

        A blob gets a `presigned_url`, or an `unavailable_reason` if its file is missing.
        """
        if isinstance(document, list):
            return [self.presign(item, base_url) for item in document]
        if not isinstance(document, dict):
            return document

        signed = {key: self._presign_field(key, value, base_url) for key, value in document.items()}
        is_blob = isinstance(document.get("url"), str) and "field" in document
        if is_blob:
            return self._presign_blob(signed, base_url)
        return signed

    def _presign_field(self, key: str, value: Any, base_url: str) -> Any:
        if not isinstance(value, str) or not key.endswith("_url"):
            return self.presign(value, base_url)
        name = local_name(value)
        if name and self.find(name):
            return self.link(base_url, name)
        return value

    def _presign_blob(self, blob: Json, base_url: str) -> Json:
        name = local_name(blob["url"])
        if name is None or blob.get("unavailable_reason"):
            return blob
        if self.find(name) is None:
            return {**blob, "presigned_url": None, "unavailable_reason": MISSING}
        return {**blob, "presigned_url": self.link(base_url, name)}


def local_name(url: str) -> str | None:
    """Return the name under `media/` of a relative url; None for a url of somewhere else."""
    if not url or "://" in url or url.startswith(("/", "data:")):
        return None
    return url.removeprefix("./").removeprefix("media/")


def refusal_xml(refused: LinkRefused, name: str, request_id: str) -> str:
    """Return the body S3 would send."""
    safe = quote(name)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refused.code}</Code><Message>{refused}</Message>"
        f"<Key>{safe}</Key><RequestId>{request_id}</RequestId></Error>"
    )
