"""The drill's own PostgreSQL: killed without warning, started again, and always found at the same
address.

The bundled server listens in a folder with a new name at each start, so its clients are given a
link to it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from reviewapp.postgres import server
from reviewapp.postgres.cluster import NAME, PORT, Cluster
from tools.bench.memory import children


class Database:
    """A server whose data lies in `data`; started by `start`, which also brings back one that was
    killed.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        # A socket's path has little room, so the link is not in the folder of the data.
        self._home = Path(tempfile.mkdtemp(prefix="drill-"))
        self._home.chmod(0o755)

    @property
    def url(self) -> str:
        """The address, the same for the whole drill."""
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self._link), safe='/')}&port={PORT}"

    @property
    def _link(self) -> Path:
        return self._home / "pg"

    def start(self) -> None:
        """Start the server if it is down and point the link to where it listens."""
        listens = server.join(self._data).socket_dir
        new = self._home / "pg.new"
        new.symlink_to(listens)
        new.replace(self._link)

    def kill(self) -> None:
        """End the server's first process as `kill -9` would, and return when it is gone; the others
        notice.
        """
        with suppress(ProcessLookupError):
            os.kill(self._pid(), signal.SIGKILL)
        cluster = Cluster(data=self._data)
        while cluster.running():
            time.sleep(0.02)

    def kill_session(self, dice: random.Random) -> bool:
        """End one client's session as `kill -9` would: the server then ends all others and recovers
        by itself.
        """
        sessions = [pid for pid in children(self._pid()) if _is_session(pid)]
        if sessions:
            with suppress(ProcessLookupError):
                os.kill(dice.choice(sessions), signal.SIGKILL)
        return bool(sessions)

    def leave(self) -> None:
        """Stop the server and remove the link."""
        server.leave(self._data)
        shutil.rmtree(self._home, ignore_errors=True)

    def _pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])


def _is_session(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/cmdline")
            .read_bytes()
            .startswith(f"postgres: {NAME} {NAME} ".encode())
        )
    except OSError:
        return False
