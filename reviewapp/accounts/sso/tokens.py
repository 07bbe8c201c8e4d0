"""Read an ID token: signed by the provider, for us, for this very sign-in. Asks nobody.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import jwt

# None that shares a secret and not "none": a key from the provider's public set must have signed it.
ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY = 60
# What somebody is called: it proves nothing, so userinfo, which nobody signed, may say it.
_NAMES = ("preferred_username", "name", "given_name", "family_name")


class Untrusted(Exception):
    """The token proves nothing; the text is for the log, not for the person who signs in."""


def claims_of(token: str, *, keys: dict[str, Any], issuer: str, client_id: str) -> dict[str, Any]:
    """Return the claims of an ID token whose signature, issuer, audience and times are right; raises Untrusted."""
    try:
        key = _key(token, keys)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ASYMMETRIC,
            issuer=issuer,
            audience=client_id,
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise Untrusted(f"ID token: {error}") from error
    if claims.get("azp", client_id) != client_id:
        raise Untrusted("ID token: azp is somebody else")
    return claims


def described(claims: Mapping[str, Any], *, userinfo: Mapping[str, Any], groups_claim: str) -> dict[str, Any]:
    """Return the claims, completed by the names that userinfo adds; all that proves something is the signed token's.

    An address that is not in its normal form is left out: some full-width and other look-alike letters become plain
    ones when they are changed to lower case, and the address would be somebody else's.
    """
    names = {name: userinfo[name] for name in _NAMES if name in userinfo and name != groups_claim}
    whole = {**names, **claims}
    texts = {name: whole.pop(name, None) for name in (*_NAMES, "email")}
    email = texts["email"]

    if not isinstance(email, str) or not unicodedata.is_normalized("NFKC", email):
        del texts["email"]

    return whole | {name: text for name, text in texts.items() if isinstance(text, str)}


def _key(token: str, keys: dict[str, Any]) -> jwt.PyJWK:
    wanted = jwt.get_unverified_header(token).get("kid")
    usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in {None, "sig"}]
    found = [key for key in usable if wanted is None or key.key_id == wanted]
    if len(found) != 1:
        raise Untrusted(f"ID token: {len(found)} keys for kid {wanted!r}")
    return found[0]
