"""Channels, keys, tokens and sealed messages of Sealwire, as docs/protocol.md describes them, and publishing over HTTP.

Channels with claims are not supported: they also need a channel token and the claims as canonical JSON.
"""

import base64
import hashlib
import hmac
import itertools
import json
import os
import struct
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
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


MAX_TAGGED_NAME = 159


def tag_key(routing_key, label, app, installation):
    """Derives a key of name tags: "name-tags" for channels and events, "value-tags" for the values of a scope."""
    return derive(routing_key, lp(label, app, installation))


def name_tag(key, kind, name, prop=""):
    """Returns the text that the relay sees in place of a name, if the app has blindNames. `prop` is that of a value."""
    content = name.encode()
    if len(content) > MAX_TAGGED_NAME:
        raise ValueError(f"a name has at most {MAX_TAGGED_NAME} bytes with blindNames, and this one {len(content)}")
    padded = (bytes([len(content)]) + content).ljust((len(content) // 16 + 1) * 16, b"\0")
    nonce = derive(key, lp("name-tag-nonce", kind, prop, name))[:12]
    cipher = AESGCM(derive(key, lp("name-tag-cipher")))
    return "~t1." + base64url(nonce + cipher.encrypt(nonce, padded, kind.encode()))


def blind(routing_key, app, installation, scope, name, event=""):
    """Returns the scope, the channel name and the event name with which an app with blindNames seals and publishes."""
    names, values = (tag_key(routing_key, label, app, installation) for label in ("name-tags", "value-tags"))
    tagged = {prop: name_tag(values, "value", value, prop) for prop, value in scope.items()}
    return tagged, name_tag(names, "channel", name), event and name_tag(names, "event", event)


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


class Numbering:
    """The numbers of one sender on one channel, and those that it confirms. A process needs one for each channel."""

    MAX_NUMBER = 1 << 24

    def __init__(self, sender=None):
        self.sender = os.urandom(12) if sender is None else sender
        self.last = 0
        self.confirmed = 0

    def next(self):
        """Assigns the next number. Returns it with the encoded stamp of its message."""
        self.last += 1
        stamp = struct.pack(">IQ", self.last, self.confirmed)
        self.confirmed = (self.confirmed << 1) & 0xFFFF_FFFF_FFFF_FFFF
        return self.last, stamp

    def confirm(self, number):
        """Confirms a message that the relay acknowledged at the first attempt, behind all messages with lower numbers."""
        behind = self.last - number
        if 0 <= behind < 64:
            self.confirmed |= 1 << behind


def signed_text(where, event, payload, sender, number, now_ms):
    """Returns the bytes that the author of a message signs."""
    place = channel_id(*where) + sender + struct.pack(">IQ", number, now_ms)
    return lp("sealwire/signature/v1") + place + lp(event, payload)


def sign(signing_key, text):
    """Signs as a function of the app. `signing_key` has the members d, x and y of a JWK of ECDSA with P-256."""
    d, x, y = (int.from_bytes(from_base64url(signing_key[part]), "big") for part in ("d", "x", "y"))
    key = ec.EllipticCurvePrivateNumbers(d, ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())).private_key()
    r, s = decode_dss_signature(key.sign(text, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def seal(encryption_key, where, event, payload, sender, stamp, now_ms, random, signature=None):
    """Seals a payload, which is JSON text. `where` is (app, installation, scope, name)."""
    nonce = sender + random
    aad = lp("sealwire/message/v1") + channel_id(*where) + lp(event)
    signed = b"" if signature is None else b"\x01" + signature
    plaintext = padded(struct.pack(">Q", now_ms) + stamp + lp(payload) + signed)
    ciphertext = xaes_256_gcm(channel_key(encryption_key, *where), nonce, plaintext, aad)
    return b"\x01" + key_id(encryption_key) + nonce + ciphertext


def idempotency_ids(key, publisher, app_id, event, payload):
    """Derives the id and the content digest of a message whose id the app chose."""
    wire_id = derive(key, lp("idempotency-id", publisher, app_id))[:16]
    return wire_id, derive(key, lp("idempotency-content", publisher, app_id, event, payload))[:16]


class Publication:
    """A sealed message. Every attempt to publish it sends the same bytes under the same id."""

    def __init__(self, numbering, number, body):
        self.numbering = numbering
        self.number = number
        self.body = body

    def settle(self, is_acknowledged):
        # The acknowledgement of an id that the app chose may be that of an earlier publication.
        if is_acknowledged and "content" not in self.body:
            self.numbering.confirm(self.number)


class Sealer:
    """Seals the messages of this process on one channel. Keep it as long as the process publishes there."""

    # The publisher of messages of a backend, in place of an account id.
    PUBLISHER = "\0resolver"

    def __init__(self, encryption_key, app, installation, scope, name, signing_key=None):
        self.encryption_key = encryption_key
        # Without it, subscribers do not see that the messages are of the app.
        self.signing_key = signing_key
        self.where = (app, installation, scope, name)
        self.numbering = Numbering()

    def seal(self, event, payload, app_id=None):
        """Seals a payload, which is JSON text. The relay publishes the same message once for each `app_id`.

        Publish the messages of a channel in the order of their sealing, one batch after the other: each one confirms that
        those before it lie before it.
        """
        if self.numbering.last >= Numbering.MAX_NUMBER:
            self.numbering = Numbering()
        number, stamp = self.numbering.next()
        now_ms = time.time_ns() // 1_000_000
        sender = self.numbering.sender
        signature = None
        if self.signing_key is not None:
            text = signed_text(self.where, event, payload, sender, number, now_ms)
            signature = sign(self.signing_key, text)
        message = (event, payload, sender, stamp, now_ms, os.urandom(12), signature)
        sealed = seal(self.encryption_key, self.where, *message)
        _, _, scope, name = self.where
        body = {"channel": name, "scope": scope, "event": event, "sealed": base64.b64encode(sealed).decode()}
        if app_id is None:
            body["id"] = base64url(os.urandom(16))
        else:
            key = channel_key(self.encryption_key, *self.where)
            wire_id, content = idempotency_ids(key, self.PUBLISHER, app_id, event, payload)
            body.update(id=base64url(wire_id), content=base64url(content))
        return Publication(self.numbering, number, body)


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


def publish(url, token, publications):
    """Publishes a batch and returns the relay's results. A repeated batch is not published twice."""
    request = urllib.request.Request(
        url.rstrip("/") + "/v1/publish",
        data=json.dumps({"messages": [publication.body for publication in publications]}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    results = []
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            results = json.load(response)["results"]
            return results
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        raise Refused(f"{error['code']}: {error['message']}") from None
    finally:
        # A publication without an answer may not have arrived, so later messages do not name it as acknowledged.
        for publication, result in itertools.zip_longest(publications, results, fillvalue={}):
            publication.settle("eventId" in result)
