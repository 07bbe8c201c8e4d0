"""Keep compiled templates beside Python's own bytecode, so that a process need not compile them.

Compiling all templates takes two thirds of what a web server needs to start.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from pathlib import Path

import django
import jinja2
from django.conf import settings
from jinja2.bccache import Bucket, FileSystemBytecodeCache


class CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates in a folder, which is made with the first of them.

    As with Python's bytecode, nothing is written into a folder that is read-only or with
    PYTHONDONTWRITEBYTECODE, and a file that cannot be read is as good as none.
    """

    def __init__(self, folder: Path, *, made_by: Path) -> None:
        """Keep what the module `made_by` makes of the templates: it is compiled in."""
        super().__init__(str(folder), "%s.jinja2c")
        versions = f"{jinja2.__version__} {django.__version__} {settings.USE_I18N}"
        self._maker = hashlib.sha256(versions.encode() + made_by.read_bytes()).hexdigest()

    def get_source_checksum(self, source: str) -> str:
        """Return a checksum of a template and of all that decides what it is compiled to."""
        return super().get_source_checksum(source + self._maker)

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket from its file, if that is there and whole."""
        try:
            super().load_bytecode(bucket)
        except Exception:
            # A machine that lost its power can leave any bytes in a file.
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write the file of the bucket, if that is allowed."""
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
