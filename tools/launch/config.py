"""What a launch consists of, read from the environment: values only, nothing is started here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from reviewapp.env import Env
from reviewapp.operations.server.addresses import host_and_port

ROOT = Path(__file__).resolve().parents[2]
SANDBOX_KEY = "sk_sandbox_on_this_machine"
SANDBOX_NAMESPACE = "ns_sample"
_HOST = "127.0.0.1"
_WSGI = "reviewapp.wsgi:application"
# The sandbox has no limit. This one delays nothing, and lets the pages show a limit.
_SANDBOX_REQUESTS = 600_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One launch: its port, its folders, and with whom it talks."""

    host: str
    port: int
    path: str
    var: Path
    database_url: str
    secret_key: str
    sandbox: bool
    sandbox_data: Path | None
    requests: str = ""
    # The wanted one of SANDBOX_DATA; "" for the one that the data names.
    namespace: str = ""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Plan:
        """Read the plan; raises `ImproperlyConfigured` with the variable and a good value."""
        env = Env(variables)
        env.database("DATABASE_URL")
        data = env.text("SANDBOX_DATA")
        sandbox_data = None
        if data:
            sandbox_data = Path(data).absolute()
        return cls(
            host=env.host("HOST"),
            path=env.path("SCRIPT_NAME"),
            port=env.number("PORT", 8000, least=1, most=65535),
            var=Path(env.text("VAR_DIR", str(ROOT / "var"))).absolute(),
            database_url=env.text("DATABASE_URL"),
            secret_key=env.text("SECRET_KEY"),
            sandbox=not env.text("MIXPEEK_API_KEY"),
            sandbox_data=sandbox_data,
            requests=env.text("MIXPEEK_REQUESTS_PER_MINUTE"),
            namespace=env.text("MIXPEEK_NAMESPACE") if data else "",
        )

    @property
    def url(self) -> str:
        """The address of the first page."""
        return f"http://{host_and_port(self.own_host, self.port)}{self.path}/"

    @property
    def own_host(self) -> str:
        """The host by which this machine itself reaches the web server."""
        if self.host in {"", "0.0.0.0"}:  # noqa: S104
            return _HOST
        if self.host == "::":
            return "::1"
        return self.host

    @property
    def sample(self) -> Path:
        """The folder with the sandbox's data: the person's own, or the sample namespace."""
        return self.sandbox_data or self.var / "sandbox" / "sample"

    @property
    def source(self) -> str:
        """Where the records come from, as far as a launch can tell."""
        if self.sandbox:
            return str(self.sample)
        return "Mixpeek"

    def sandbox_command(self, port: int) -> list[str]:
        """Return the command of the sandbox, whose state is one file for each data folder."""
        folder_digest = sha256(os.fsencode(self.sandbox_data or "")).hexdigest()[:8]
        state = self.var / "sandbox" / f"{self.sample.name}-{folder_digest}.state"
        options = ["--port", str(port), "--data", str(self.sample), "--state", str(state)]
        return python("-m", "tools.sandbox", *options)

    def web_command(self, listeners: Sequence[int]) -> list[str]:
        """Return the command of the web server, on sockets (descriptors) that already listen."""
        options = [
            "-c",
            "python:reviewapp.operations.gunicorn_conf",
            "--graceful-timeout",
            "10",
        ]
        for listener in listeners:
            options += ["--bind", f"fd://{listener}"]
        return python("-m", "gunicorn", *options, _WSGI)

    def child_variables(
        self,
        *,
        database_url: str,
        secret_key: str,
        sandbox_port: int,
    ) -> dict[str, str]:
        """Return the variables that every process of the launch gets besides the person's own."""
        variables = {
            "DATABASE_URL": database_url,
            "SECRET_KEY": secret_key,
            "VAR_DIR": str(self.var),
        }
        if self.sandbox:
            sandbox_url = f"http://{_HOST}:{sandbox_port}"
            variables |= {
                "MIXPEEK_BASE_URL": sandbox_url,
                "MEDIA_HOSTS": sandbox_url,
                "MIXPEEK_API_KEY": SANDBOX_KEY,
                "MIXPEEK_NAMESPACE": SANDBOX_NAMESPACE,
                "MIXPEEK_REQUESTS_PER_MINUTE": self.requests or str(_SANDBOX_REQUESTS),
            }
        return variables


def python(*arguments: str) -> list[str]:
    """Return a command for the Python that runs this process."""
    return [sys.executable, *arguments]


def manage(*arguments: str) -> list[str]:
    """Return one of Django's commands."""
    return python(str(ROOT / "manage.py"), *arguments)
