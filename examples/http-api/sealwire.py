"""Channels, keys, tokens and sealed messages of Sealwire, as docs/protocol.md describes them, and publishing over HTTP.

Channels with claims are not supported: they also need a channel token and the claims as canonical JSON.
"""

import base64
import hashlib
import hmac
import json
import os
import struct
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def lp(*parts):
    """Concatenates parts, each with its length in front."""
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(struct.pack(">I", len(part)) + part for part in raw)


def by_bytes(scope):
    """Sorts the properties of a scope by their bytes."""
    return sorted(scope.items(), key=lambda item: item[0].encode())


def derive(key, info):
    return HKDF(algorithm=SHA256(), length=32, salt=b"sealwire/v1", info=info).derive(key)


def key_id(encryption_key):
    return hashlib.sha256(lp("sealwire/key-id/v1", encryption_key)).digest()[:4]


def place(label, app, installation, scope):
    """Encodes app, installation and scope. The label separates the purposes of the encoding."""
    properties = b"".join(lp(*item) for item in by_bytes(scope))
    return lp(label, app, installation) + struct.pack(">I", len(scope)) + properties


def channel_id(app, installation, scope, name):
    head = place("sealwire/channel/v1", app, installation, scope)
    return hashlib.sha256(head + lp("", name)).digest()[:16]


def channel_key(encryption_key, app, installation, scope, name):
    """Derives the key of one channel. It opens no message of any other channel."""
    scope_key = derive(encryption_key, place("scope", app, installation, scope))
    return derive(scope_key, lp("channel", name))


def xaes_256_gcm(key, nonce, plaintext, aad):
    """Encrypts with AES-256-GCM and a nonce of 24 bytes, of which the first 12 derive the key (c2sp.org/XAES-256-GCM)."""

    def half(counter):
        cmac = CMAC(algorithms.AES(key))
        cmac.update(bytes([0, counter]) + b"X\0" + nonce[:12])
        return cmac.finalize()

    return AESGCM(half(1) + half(2)).encrypt(nonce[12:], plaintext, aad)


def padded(content):
    """Pads with zeros to the Padmé size, so that the length of a message reveals little."""
    exponent = len(content).bit_length() - 1
    free = (1 << (exponent - exponent.bit_length())) - 1
    return content.ljust((len(content) + free) & ~free, b"\0")


def seal(encryption_key, app, installation, scope, name, event, payload, now_ms=None, nonce=None):
    """Seals a payload, which is JSON text. Only tests set the time and the nonce."""
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    nonce = os.urandom(24) if nonce is None else nonce
    key = channel_key(encryption_key, app, installation, scope, name)
    aad = lp("sealwire/message/v1") + channel_id(app, installation, scope, name) + lp(event)
    plaintext = padded(struct.pack(">Q", now_ms) + lp(payload))
    return b"\x01" + key_id(encryption_key) + nonce + xaes_256_gcm(key, nonce, plaintext, aad)


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def backend_token(signing_key, app, installation, now=None):
    """Signs a token to publish for one installation, valid for a minute. The relay accepts at most five minutes."""
    kid, secret = signing_key.split(".", 1)
    now = int(time.time()) if now is None else now
    header = {"alg": "HS512", "kid": kid, "typ": "JWT"}
    claims = {"aud": "sealwire:backend", "iss": app, "ins": installation, "iat": now, "exp": now + 60}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(from_base64url(secret), signed.encode(), "sha512")
    return f"{signed}.{base64url(signature)}"


class Refused(Exception):
    """The relay refused a request. The text is its code and its explanation."""


def publish(url, token, messages):
    """Publishes a batch and returns the relay's results. A repeated batch is not published twice."""
    request = urllib.request.Request(
        url.rstrip("/") + "/v1/publish",
        data=json.dumps({"messages": messages}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)["results"]
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        raise Refused(f"{error['code']}: {error['message']}") from None


def message(scope, name, event, sealed):
    """Returns a message of a batch. Every attempt to publish it must use the same message, and so the same id."""
    return {
        "channel": name,
        "scope": scope,
        "event": event,
        "sealed": base64.b64encode(sealed).decode(),
        "id": base64url(os.urandom(16)),
    }
