"""Identify the client of a request by its head, before the app sees the request. Pure."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from reviewapp.operations.server.fair_queue import ClientIdentity

_IPV6_NETWORK_BITS = 64


def client_of(
    head: bytes, *, address: str, session_cookie: str, behind_proxy: bool
) -> ClientIdentity:
    """Return the client that sent this head (request line and header fields, as they arrived).

    `address` is the connection's. Behind a proxy, the last address of `X-Forwarded-For` is used
    instead.
    """
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()

    forwarded = fields.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if behind_proxy and forwarded:
        address = forwarded

    credentials = fields.get("authorization", "")
    if not credentials:
        for pair in fields.get("cookie", "").split(";"):
            name, _, value = pair.strip().partition("=")
            if name == session_cookie:
                credentials = value
                break
    return ClientIdentity(network=network_of(address), credentials=credentials)


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, and the /64 of an IPv6 address (one subscriber has it)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address

    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)

    host_bits = parsed.max_prefixlen - _IPV6_NETWORK_BITS
    return str(IPv6Address(int(parsed) >> host_bits << host_bits))
