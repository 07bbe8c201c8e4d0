"""The Mixpeek clients of this process, built from the settings on first use."""

from __future__ import annotations

from threading import Lock

from django.conf import settings

from reviewapp.mixpeek.client import Client
from reviewapp.mixpeek.exceptions import Unauthorized
from reviewapp.sync.request_budget import BudgetPace
from reviewapp.sync.signals import upstream_call_finished

_MAX_CONNECT_SECONDS = 5
_clients: dict[tuple[str, str, str, int, bool], Client] = {}
_lock = Lock()


def client(*, impatient: bool = False) -> Client:
    """Return the client for the configured Mixpeek; safe from any thread.

    An `impatient` one has the shorter MIXPEEK_PAGE_TIMEOUT, for requests that a page waits for.
    Raises `Unauthorized` that names the setting to mend when there is no valid key or namespace.
    """
    timeout = settings.MIXPEEK_TIMEOUT
    if impatient:
        timeout = min(timeout, settings.MIXPEEK_PAGE_TIMEOUT)

    configuration = (
        settings.MIXPEEK_BASE_URL,
        settings.MIXPEEK_API_KEY,
        settings.MIXPEEK_NAMESPACE,
        timeout,
        impatient,
    )
    with _lock:
        if configuration not in _clients:
            _clients[configuration] = _build(*configuration)
        return _clients[configuration]


def _build(base_url: str, api_key: str, namespace: str, timeout: int, impatient: bool) -> Client:
    missing = []
    if not api_key:
        missing.append("MIXPEEK_API_KEY")
    if not namespace:
        missing.append("MIXPEEK_NAMESPACE")
    if missing:
        names = " and ".join(missing)
        raise Unauthorized(f"Set {names} first. Without them, Mixpeek cannot be reached.")

    connect_timeout: float = min(_MAX_CONNECT_SECONDS, timeout)
    if impatient:
        connect_timeout = timeout / 2
    try:
        return Client(
            base_url=base_url,
            api_key=api_key,
            namespace=namespace,
            timeout=(connect_timeout, timeout),
            observe=_send_signal,
            pace=BudgetPace(),
        )
    except ValueError as error:
        raise Unauthorized(f"The MIXPEEK_ settings cannot work: {error}.") from None


def _send_signal(method: str, status: int | None, seconds: float) -> None:
    upstream_call_finished.send_robust(sender=Client, method=method, status=status, seconds=seconds)
