"""Verify an ID token: signed by the provider, issued for us, and valid now. No I/O.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Mapping
from typing import Any

import jwt
from allauth.socialaccount import app_settings

from reviewapp.storable import is_storable, storable_json

# Without "none" and shared secrets: one of the provider's public keys must match.
ASYMMETRIC = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
_LEEWAY_SECONDS = 60
# The errors that PyJWT raises for keys and claims of an unexpected shape.
_MALFORMED = (
    jwt.PyJWTError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
# Names prove nothing, so they may also come from userinfo, which is not signed.
_NAME_CLAIMS = ("preferred_username", "name", "given_name", "family_name")


class UntrustedToken(Exception):
    """The token is not valid; the text is for the log, not for the person."""


def decode_id_token(
    token: str,
    *,
    keys: dict[str, Any],
    issuer: str,
    client_id: str,
) -> dict[str, Any]:
    """Verify signature, issuer, audience and times; return the claims. Raises UntrustedToken."""
    try:
        key = find_signing_key(token, keys)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ASYMMETRIC,
            issuer=issuer,
            audience=client_id,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except _MALFORMED as error:
        raise UntrustedToken(f"ID token: {error}") from error

    # It must be issued for us, also if others may read it.
    audience = claims["aud"]
    has_others = isinstance(audience, list) and set(audience) != {client_id}
    if has_others and "azp" not in claims:
        raise UntrustedToken("ID token: several audiences and no azp")
    if claims.get("azp", client_id) != client_id:
        raise UntrustedToken("ID token: azp is somebody else")

    # A subject that cannot be stored is refused, because a similar one is someone else.
    subject = claims["sub"]
    if not is_storable(subject):
        raise UntrustedToken("ID token: sub has a character that cannot be stored")
    if len(subject) > app_settings.UID_MAX_LENGTH:
        raise UntrustedToken(
            f"ID token: sub has more than {app_settings.UID_MAX_LENGTH} characters"
        )
    return claims


def has_nonce(claims: Mapping[str, Any], expected: object) -> bool:
    """Return whether the token belongs to the sign-in that a browser started with this nonce."""
    nonce = claims.get("nonce")
    if not isinstance(expected, str) or not isinstance(nonce, str):
        return False
    return hmac.compare_digest(expected.encode(), nonce.encode())


def describe_identity(
    claims: Mapping[str, Any],
    *,
    userinfo: Mapping[str, Any],
    groups_claim: str,
) -> dict[str, Any]:
    """Return the claims, with missing names from userinfo; all others are from the signed token.

    What the database cannot store is left out of names and address, and replaced elsewhere. An
    address that is not in NFKC is left out: some look-alike letters become plain letters in
    lower case, and the address would be another person's.
    """
    description: dict[str, Any] = {}
    for name in _NAME_CLAIMS:
        if name in userinfo and name != groups_claim:
            description[name] = userinfo[name]
    description |= claims

    for name in (*_NAME_CLAIMS, "email"):
        value = description.get(name)
        if not isinstance(value, str) or not is_storable(value):
            description.pop(name, None)

    email = description.get("email")
    if email is not None and not unicodedata.is_normalized("NFKC", email):
        del description["email"]
    storable: dict[str, Any] = storable_json(description)
    return storable


def find_signing_key(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    """Return the only public signing key with the token's key id."""
    key_id = jwt.get_unverified_header(token).get("kid")

    matching = []
    for key in jwt.PyJWKSet.from_dict(keys).keys:
        is_for_signing = key.public_key_use in {None, "sig"}
        if is_for_signing and (key_id is None or key.key_id == key_id):
            matching.append(key)

    if len(matching) != 1:
        raise UntrustedToken(f"ID token: {len(matching)} keys for kid {key_id!r}")
    return matching[0]
