"""A passkey in software: what a browser and its authenticator would answer."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG
_ALGORITHM: Any = ES256


def options_on(page: Any) -> dict[str, Any]:
    """Return what the page's script is told, of which one kind of options is the only value."""
    match = re.search(
        r'<script id="js_data" type="application/json">(.*?)</script>',
        page.content.decode(),
        re.DOTALL,
    )
    assert match
    data: dict[str, Any] = json.loads(match.group(1))
    options: dict[str, Any] = next(iter(data.values()))["publicKey"]
    return options


class Passkey:
    """One key pair at one site."""

    def __init__(self, *, host: str = "testserver", origin: str = "https://testserver") -> None:
        self.id = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._site, self._origin = hashlib.sha256(host.encode()).digest(), origin
        self._user = b""

    def create(self, options: dict[str, Any]) -> str:
        """Return the JSON by which this key is registered."""
        self._user = websafe_decode(options["user"]["id"])
        credential = AttestedCredentialData.create(
            b"\0" * 16, self.id, _ALGORITHM.from_cryptography_key(self._key.public_key())
        )
        data = AuthenticatorData.create(self._site, FLAG.UP | FLAG.UV | FLAG.AT, 0, credential)
        return self._encode(
            {
                "clientDataJSON": websafe_encode(self._client("webauthn.create", options)),
                "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
            },
            {"credProps": {"rk": True}},
        )

    def get(self, options: dict[str, Any]) -> str:
        """Return the JSON that proves that this key is at hand."""
        data = AuthenticatorData.create(self._site, FLAG.UP | FLAG.UV, 1)
        client = self._client("webauthn.get", options)
        signature = self._key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._encode(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(self._user),
            },
            {},
        )

    def _client(self, kind: str, options: dict[str, Any]) -> CollectedClientData:
        challenge = websafe_decode(options["challenge"])
        return CollectedClientData.create(type=kind, origin=self._origin, challenge=challenge)

    def _encode(self, response: dict[str, str], extensions: dict[str, Any]) -> str:
        own = websafe_encode(self.id)
        return json.dumps(
            {
                "id": own,
                "rawId": own,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )
