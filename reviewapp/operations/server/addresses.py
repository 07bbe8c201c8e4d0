"""The addresses that a server listens on, over IPv4 and IPv6."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address


def bind_address(host: str, port: int) -> str:
    """Return gunicorn's `bind` for HOST; without one, all addresses of this machine.

    A socket of `::` takes IPv4 connections as well, on systems that know IPv6.
    """
    if not host:
        host = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104
    return host_and_port(host, port)


def host_and_port(host: str, port: int) -> str:
    """Return `host:port` as URLs and gunicorn write it: an IPv6 address in brackets."""
    if ":" in host:
        return f"[{host}]:{port}"
    return f"{host}:{port}"


def without_mapping(address: str) -> str:
    """Return an IPv4 address that a socket of both families has mapped to IPv6 as itself."""
    if not address.startswith("::ffff:"):
        return address
    mapped = IPv6Address(address).ipv4_mapped
    if mapped is None:
        return address
    return str(mapped)
