"""The drill's own PostgreSQL, which is killed and restarted, and keeps its address.

The bundled server listens in a folder with a new name at each start. Its clients use a link to that
folder.
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
    """A server with its data in `data`."""

    def __init__(self, data: Path) -> None:
        self._data = data
        # The path of a socket must be short, so the link is not in the folder of the data.
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
        """Start the server if it is down, and point the link at its socket's folder."""
        socket_dir = server.join(self._data).socket_dir
        new_link = self._home / "pg.new"
        new_link.symlink_to(socket_dir)
        new_link.replace(self._link)

    def kill(self) -> None:
        """Kill the server's first process and wait until it is gone; the others then end."""
        with suppress(ProcessLookupError):
            os.kill(self._pid(), signal.SIGKILL)
        cluster = Cluster(data=self._data)
        while cluster.running():
            time.sleep(0.02)

    def kill_session(self, dice: random.Random) -> bool:
        """Kill the process of one client's session, if there is one; return whether there was.

        The server then ends all other sessions, and recovers.
        """
        sessions = [pid for pid in children(self._pid()) if _is_session(pid)]
        if not sessions:
            return False
        with suppress(ProcessLookupError):
            os.kill(dice.choice(sessions), signal.SIGKILL)
        return True

    def leave(self) -> None:
        """Stop the server and remove the link."""
        server.leave(self._data)
        shutil.rmtree(self._home, ignore_errors=True)

    def _pid(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])


def _is_session(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return command.startswith(f"postgres: {NAME} {NAME} ".encode())
