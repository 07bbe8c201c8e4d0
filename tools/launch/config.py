"""What a launch consists of, read from the environment: values only, nothing is started here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from reviewapp.env import Env

ROOT = Path(__file__).resolve().parents[2]
SANDBOX_KEY = "sk_sandbox_on_this_machine"
SANDBOX_NAMESPACE = "ns_sample"
_HOST = "127.0.0.1"
_WSGI = "reviewapp.wsgi:application"
# The stand-in has no limit; this one keeps nobody waiting, and is there to be seen.
_SANDBOX_REQUESTS = 600_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One launch: its port, its folders, and with whom it talks."""

    port: int
    var: Path
    database_url: str
    secret_key: str
    sandbox: bool
    sandbox_data: Path | None
    requests: str = ""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Plan:
        """Read the plan; raises `ImproperlyConfigured` with the variable and a good value."""
        env = Env(variables)
        env.database("DATABASE_URL")
        data = env.text("SANDBOX_DATA")
        return cls(
            port=env.number("PORT", 8000, least=1, most=65535),
            var=Path(env.text("VAR_DIR", str(ROOT / "var"))).absolute(),
            database_url=env.text("DATABASE_URL"),
            secret_key=env.text("SECRET_KEY"),
            sandbox=not env.text("MIXPEEK_API_KEY"),
            sandbox_data=Path(data).absolute() if data else None,
            requests=env.text("MIXPEEK_REQUESTS_PER_MINUTE"),
        )

    @property
    def url(self) -> str:
        """Where a browser finds us."""
        return f"http://{_HOST}:{self.port}/"

    @property
    def sample(self) -> Path:
        """The folder with the sandbox's data: the person's own, or the sample namespace."""
        return self.sandbox_data or self.var / "sandbox" / "sample"

    @property
    def source(self) -> str:
        """What the records come from, as far as a launch can tell."""
        return str(self.sample) if self.sandbox else "Mixpeek"

    def sandbox_command(self, port: int) -> list[str]:
        """The stand-in for Mixpeek; what was changed in it is kept beside its data."""
        path = sha256(os.fsencode(self.sandbox_data or "")).hexdigest()[:8]
        state = self.var / "sandbox" / f"{self.sample.name}-{path}.state"
        words = ["--port", str(port), "--data", str(self.sample), "--state", str(state)]
        return python("-m", "tools.sandbox", *words, "--namespace", SANDBOX_NAMESPACE)

    def web_command(self, listener: int) -> list[str]:
        """The web server, on a socket that already listens."""
        options = [
            "-c",
            "python:reviewapp.operations.gunicorn_conf",
            "--preload",
            "--graceful-timeout",
            "10",
        ]
        options += ["--bind", f"fd://{listener}"]
        return python("-m", "gunicorn", *options, _WSGI)

    def children_see(
        self,
        *,
        database_url: str,
        secret_key: str,
        sandbox_port: int,
    ) -> dict[str, str]:
        """The variables that every process of the launch gets on top of the person's own."""
        seen = {"DATABASE_URL": database_url, "SECRET_KEY": secret_key, "VAR_DIR": str(self.var)}
        if self.sandbox:
            base = f"http://{_HOST}:{sandbox_port}"
            seen |= {"MIXPEEK_BASE_URL": base, "MEDIA_HOSTS": base}
            seen |= {"MIXPEEK_API_KEY": SANDBOX_KEY, "MIXPEEK_NAMESPACE": SANDBOX_NAMESPACE}
            seen |= {"MIXPEEK_REQUESTS_PER_MINUTE": self.requests or str(_SANDBOX_REQUESTS)}
        return seen


def python(*words: str) -> list[str]:
    """A command run by the Python that runs us."""
    return [sys.executable, *words]


def manage(*words: str) -> list[str]:
    """One of Django's commands."""
    return python(str(ROOT / "manage.py"), *words)
