"""Read the JSON documents of an identity provider: bounded, and objects, before allauth sees them.

The documents are the discovery document, the keys, the tokens and userinfo. allauth takes each for
an object with the right members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error

MAX_DOCUMENT_BYTES = 1024 * 1024
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def check_document(response: requests.Response, **_: object) -> requests.Response:
    """Raise OAuth2Error unless the body of a successful response is a JSON object of bounded size.

    A response hook of requests, which calls it before the body is read. A response that is no
    success is left to its caller, but for the size.
    """
    body = response.raw.read(MAX_DOCUMENT_BYTES + 1, decode_content=True)
    if len(body) > MAX_DOCUMENT_BYTES:
        response.close()
        raise OAuth2Error(f"{response.url} sent more than {MAX_DOCUMENT_BYTES:,} bytes")

    # requests decodes no second time: a BytesIO has no `stream`, and is read as it is.
    response.raw = BytesIO(body)
    if not response.ok or response.is_redirect:
        return response

    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise OAuth2Error(f"{response.url} sent no JSON that can be read") from error
    if not isinstance(document, dict):
        raise OAuth2Error(f"{response.url} sent JSON that is no object")

    # allauth would put the whole answer into its error, and so into the log.
    if response.request.method == "POST" and "access_token" not in document:
        raise OAuth2Error(f"{response.url} gave no access token")
    # allauth requires the header.
    response.headers["content-type"] = "application/json"
    return response


def check_discovery(config: Mapping[str, Any]) -> None:
    """Raise OAuth2Error if the discovery document lacks an address, or has another type for one."""
    for name in _ADDRESSES:
        if not _is_address(config.get(name)):
            raise OAuth2Error(f"The discovery document has no {name}")

    userinfo = config.get("userinfo_endpoint")
    if userinfo is not None and not _is_address(userinfo):
        raise OAuth2Error("The userinfo_endpoint of the discovery document is no address")

    methods = config.get("token_endpoint_auth_methods_supported", [])
    if not isinstance(methods, list):
        raise OAuth2Error("The discovery document has no list of token_endpoint_auth_methods")


def check_tokens(tokens: Mapping[str, Any]) -> None:
    """Raise OAuth2Error unless the access token and its lifetime can be used."""
    access_token = tokens["access_token"]
    is_ascii = isinstance(access_token, str) and access_token.isascii()
    if not is_ascii or not access_token.isprintable():
        raise OAuth2Error("The access token is no printable text")

    lifetime = tokens.get("expires_in")
    if lifetime is None:
        return
    try:
        seconds = int(lifetime)
    except (TypeError, ValueError, OverflowError) as error:
        raise OAuth2Error("The access token expires at no time") from error
    if not 0 <= seconds < 10**9:
        raise OAuth2Error("The access token expires at no time")


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://"))
