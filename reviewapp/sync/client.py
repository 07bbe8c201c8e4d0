"""The one client of this process, built from the settings when somebody first needs it."""

from __future__ import annotations

from threading import Lock

from django.conf import settings

from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Unauthorized
from reviewapp.sync.rate_limited_client import Budgeted
from reviewapp.sync.signals import answered

_LONGEST_CONNECT = 5
_clients: dict[tuple[str, str, str, int, bool], Client] = {}
_building = Lock()


def client(*, impatient: bool = False) -> Client:
    """Return the client for the configured Mixpeek; safe from any thread.

    An `impatient` one waits for MIXPEEK_PAGE_TIMEOUT seconds, as where a page waits. Raises `Unauthorized` naming the
    setting to mend when there is no key or namespace, or none that can work.
    """
    seconds = settings.MIXPEEK_TIMEOUT
    if impatient:
        seconds = min(seconds, settings.MIXPEEK_PAGE_TIMEOUT)

    chosen = (
        *(settings.MIXPEEK_BASE_URL, settings.MIXPEEK_API_KEY, settings.MIXPEEK_NAMESPACE),
        *(seconds, impatient),
    )
    with _building:
        if chosen not in _clients:
            _clients[chosen] = _build(*chosen)
        return _clients[chosen]


def _build(base_url: str, api_key: str, namespace: str, seconds: int, impatient: bool) -> Client:
    missing = [name for name, value in (("MIXPEEK_API_KEY", api_key), ("MIXPEEK_NAMESPACE", namespace)) if not value]
    if missing:
        raise Unauthorized(f"Set {' and '.join(missing)} first; without, Mixpeek cannot be asked for anything.")
    try:
        connect = seconds / 2 if impatient else min(_LONGEST_CONNECT, seconds)
        timeout = (connect, seconds)
        return Client(
            base_url=base_url,
            api_key=api_key,
            namespace=namespace,
            timeout=timeout,
            observe=_tell,
            pace=Budgeted(),
        )
    except ValueError as error:
        raise Unauthorized(f"The MIXPEEK_ settings cannot work: {error}.") from None


def _tell(method: str, status: int | None, seconds: float) -> None:
    answered.send_robust(sender=Client, method=method, status=status, seconds=seconds)
