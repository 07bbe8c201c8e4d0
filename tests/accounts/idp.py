"""An OpenID Connect provider for tests, over a real socket.

Endpoints: discovery, authorize, token, userinfo, keys.

It consents at once for whoever `who` says, checks client, redirect, code and PKCE as a provider
must, and lies where a test tells it to. `bodies` are the bytes that it sends at a path instead, at
a path in `dripping` one byte after the other without an end; `cut` are paths where it sends half.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from reviewapp.accounts.sso.documents import MAX_DOCUMENT_BYTES

CLIENT_ID, CLIENT_SECRET = "reviewapp", "not-a-secret"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Provider:
    """What the provider knows and how it lies; `url` is its issuer."""

    url: str = ""
    who: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    discovery_lies: dict[str, Any] = field(default_factory=dict)
    userinfo_lies: dict[str, Any] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = KEY
    algorithm: str = "RS256"
    broken: set[str] = field(default_factory=set)
    bodies: dict[str, bytes] = field(default_factory=dict)
    dripping: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """Return the document that says where everything is."""
        ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        return {
            "issuer": self.url,
            **{f"{name}_endpoint": f"{self.url}/{path}" for name, path in ends.items()},
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.discovery_lies,
        }

    def keys(self) -> dict[str, Any]:
        """Return the public keys."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "first", "use": "sig", "alg": "RS256"}]}

    def authorize(self, request: dict[str, str]) -> str:
        """Return where the browser is led back to."""
        assert request["client_id"] == CLIENT_ID
        assert request["response_type"] == "code"
        assert request["code_challenge_method"] == "S256"
        assert "openid" in request["scope"].split()
        code = secrets.token_urlsafe(8)
        self._codes[code] = request
        return f"{request['redirect_uri']}?{urlencode({'code': code, 'state': request['state']})}"

    def token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """Return the tokens for a code, once; None when the client may not have them."""
        request = self._codes.pop(sent.get("code", ""), None)
        proof = base64.urlsafe_b64encode(
            hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        )
        credentials = (sent.get("client_id"), sent.get("client_secret"))
        if not request or credentials != (CLIENT_ID, CLIENT_SECRET):
            return None
        if request["redirect_uri"] != sent.get("redirect_uri"):
            return None
        if request["code_challenge"] != proof.decode().rstrip("="):
            return None

        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": request["nonce"],
            **self.who,
        }
        claims = {name: value for name, value in (claims | self.lies).items() if value is not None}
        key: Any = self.key if self.algorithm != "none" else None
        id_token = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "first"})
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": id_token,
        }

    def userinfo(self) -> dict[str, Any]:
        """Return what else there is to know about the person."""
        return {"sub": self.who["sub"], **self.userinfo_lies}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
            provider.asked.append(path)
            if path in provider.broken:
                self._answer(503, {"error": "down"})
            elif path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif path == "/userinfo":
                known = self.headers.get("Authorization") == "Bearer opaque"
                self._answer(200, provider.userinfo()) if known else self._answer(401, {})
            else:
                known_paths = {
                    "/.well-known/openid-configuration": provider.discovery,
                    "/keys": provider.keys,
                }
                self._answer(200, known_paths[path]())

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            sent = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            tokens = provider.token(sent)
            self._answer(200 if tokens else 400, tokens or {"error": "invalid_grant"})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            text = provider.bodies.get(self.path, json.dumps(body).encode())
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            length = len(text)
            if self.path in provider.dripping:
                length = MAX_DOCUMENT_BYTES
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.path in provider.dripping:
                self._drip()
            elif self.path in provider.cut:
                self.wfile.write(text[: len(text) // 2])
            else:
                self.wfile.write(text)

        def _drip(self) -> None:
            with suppress(ConnectionError):
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.02)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on loopback until the block ends."""
    provider = Provider()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider)) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
