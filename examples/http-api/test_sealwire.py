"""Recomputes the vectors that all implementations share, and tests numbers and publishing. Run: python3 -m unittest"""

import hashlib
import hmac
import http.server
import json
import pathlib
import struct
import threading
import unittest

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

import sealwire

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def jwk(private):
    """Returns a private key as an installation's secret has it."""
    numbers = private.private_numbers()
    parts = {"d": numbers.private_value, "x": numbers.public_numbers.x, "y": numbers.public_numbers.y}
    return {name: sealwire.base64url(number.to_bytes(32, "big")) for name, number in parts.items()}


class Vectors(unittest.TestCase):
    def test_xaes_256_gcm_agrees_with_the_vectors_of_c2sp(self):
        for case in load("xaes-256-gcm"):
            key, nonce, plaintext, aad = (bytes.fromhex(case[part]) for part in ("key", "nonce", "plaintext", "aad"))
            sealed = sealwire.xaes_256_gcm(key, nonce, plaintext, aad)
            self.assertEqual(sealed.hex(), case["ciphertext_and_tag"])

    def test_channel_ids(self):
        cases = [case for case in load("channels") if case["claims_tag"] is None]
        self.assertGreaterEqual(len(cases), 4)
        for case in cases:
            made = sealwire.channel_id(case["app"], case["installation"], case["scope"], case["name"])
            self.assertEqual(made.hex(), case["channel_id"])

    def test_name_tags(self):
        cases = [case for case in load("name-tags") if case["name"] is not None]
        self.assertGreaterEqual(len(cases), 7)
        for case in cases:
            routing = bytes.fromhex(case["routing_key"])
            label = "value-tags" if case["kind"] == "value" else "name-tags"
            key = sealwire.tag_key(routing, label, case["app"], case["installation"])
            made = sealwire.name_tag(key, case["kind"], case["name"], case["property"])
            self.assertEqual(made, case["tag"])

    def test_an_app_with_blind_names_publishes_tags_only(self):
        case = load("name-tags")[0]
        routing, place = bytes.fromhex(case["routing_key"]), (case["app"], case["installation"])
        scope, name, event = sealwire.blind(routing, *place, {"dashboard": "10001"}, "absences", "absences")
        by_kind = {(c["kind"], c["property"], c["name"]): c["tag"] for c in load("name-tags")}
        self.assertEqual(scope, {"dashboard": by_kind["value", "dashboard", "10001"]})
        self.assertEqual(name, by_kind["channel", "", "absences"])
        self.assertEqual(event, by_kind["event", "", "absences"])
        self.assertEqual(sealwire.blind(routing, *place, {}, "absences")[2], "")
        with self.assertRaises(ValueError):
            sealwire.blind(routing, *place, {}, "a" * 160)

    def test_keys(self):
        cases = [case for case in load("keys") if case["claims"] is None]
        self.assertGreaterEqual(len(cases), 2)
        for case in cases:
            key = bytes.fromhex(case["encryption_key"])
            scope = {name: case["context"][name] for name in case["properties"]}
            made = sealwire.channel_key(key, case["app"], case["installation"], scope, case["name"])
            self.assertEqual(made.hex(), case["channel_key"])
            self.assertEqual(sealwire.key_id(key).hex(), case["key_id"])

    def test_sealed_messages(self):
        cases = [case for case in load("sealed") if case["payload"] is not None and not case["certificate"]]
        self.assertGreaterEqual(len(cases), 7)
        for case in cases:
            where = (case["app"], case["installation"], case["scope"], case["name"])
            key, sender, random = (bytes.fromhex(case[part]) for part in ("encryption_key", "sender", "random"))
            numbering = sealwire.Numbering(sender)
            numbering.last, numbering.confirmed = case["number"] - 1, int(case["confirmed"], 16)
            _, stamp = numbering.next()
            signature = case["signature"] and bytes.fromhex(case["signature"])
            message = (case["event"], case["payload"], sender, stamp, case["published_at_ms"], random, signature)
            self.assertEqual(sealwire.seal(key, where, *message).hex(), case["sealed"], case["what"])

    def test_signatures(self):
        private = ec.generate_private_key(ec.SECP256R1())
        cases = [case for case in load("sealed") if case["payload"] and case["signature"] and not case["certificate"]]
        self.assertGreaterEqual(len(cases), 1)
        for case in cases:
            where = (case["app"], case["installation"], case["scope"], case["name"])
            sender = bytes.fromhex(case["sender"])
            message = (case["event"], case["payload"], sender, case["number"], case["published_at_ms"])
            text = sealwire.signed_text(where, *message)
            signer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(case["signer"]))
            self.verify(signer, bytes.fromhex(case["signature"]), text)
            self.verify(private.public_key(), sealwire.sign(jwk(private), text), text)
            with self.assertRaises(InvalidSignature):
                self.verify(signer, bytes.fromhex(case["signature"]), text + b"\0")

    def verify(self, signer, signature, text):
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        signer.verify(encode_dss_signature(r, s), text, ec.ECDSA(SHA256()))

    def test_idempotency_ids(self):
        cases = load("idempotency")
        self.assertGreaterEqual(len(cases), 4)
        for case in cases:
            where = (case["app"], case["installation"], case["scope"], case["name"])
            key = sealwire.channel_key(bytes.fromhex(case["encryption_key"]), *where)
            message = (case["publisher"], case["app_id"], case["event"], case["payload"])
            made = [part.hex() for part in sealwire.idempotency_ids(key, *message)]
            self.assertEqual(made, [case["id"], case["content"]], case["what"])

    def test_tokens(self):
        tokens = load("tokens")
        signing_key = tokens["keys"][0]["signing_key"]
        header, claims, signature = sealwire.backend_token(signing_key, "app", "site", 1_800_000_000).split(".")
        self.assertEqual(json.loads(sealwire.from_base64url(header))["alg"], "HS512")
        good = next(case for case in tokens["cases"] if case.get("claims") and case["kind"] == "backend")
        made = json.loads(sealwire.from_base64url(claims))
        self.assertEqual(made.keys(), good["claims"].keys())
        secret = sealwire.from_base64url(signing_key.split(".")[1])
        mac = hmac.new(secret, f"{header}.{claims}".encode(), hashlib.sha512).digest()
        self.assertEqual(sealwire.from_base64url(signature), mac)


class Numbers(unittest.TestCase):
    def fields(self, numbering):
        """Returns the number and the bitmap of the next stamp."""
        number, stamp = numbering.next()
        fields = struct.unpack(">IQ", stamp)
        self.assertEqual(fields[0], number)
        return fields

    def test_a_stamp_names_the_confirmed_numbers_among_the_64_before_it(self):
        numbering = sealwire.Numbering()
        self.assertEqual([self.fields(numbering) for _ in range(3)], [(1, 0), (2, 0), (3, 0)])
        numbering.confirm(2)
        self.assertEqual(self.fields(numbering), (4, 0b10))
        numbering.confirm(1)
        numbering.confirm(77)
        self.assertEqual(self.fields(numbering), (5, 0b1100))
        for number in range(6, 66):
            self.fields(numbering)
        numbering.confirm(1)
        self.assertEqual(self.fields(numbering), (66, 1 << 63), "of 1 and 2, only 2 is near enough")


class Publishing(unittest.TestCase):
    def sealer(self):
        return sealwire.Sealer(bytes(32), "app", "site", {}, "absences")

    def publish(self, publications, answer):
        """Publishes to a server that gives `answer` as status and JSON. Returns the messages that it received."""
        received = []

        class Relay(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"])
                self.send_response(answer[0])
                self.end_headers()
                self.wfile.write(json.dumps(answer[1]).encode())

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Relay) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            try:
                sealwire.publish(f"http://127.0.0.1:{server.server_port}", "token", publications)
            finally:
                thread.join()
        return received

    def test_only_messages_that_the_relay_acknowledged_as_new_are_confirmed(self):
        sealer = self.sealer()
        publications = [sealer.seal("", "1"), sealer.seal("", "2"), sealer.seal("", "3", "chosen")]
        results = [{"eventId": "e-1"}, {"error": {"code": "MESSAGE_SIZE"}}, {"eventId": "e-2"}]
        received = self.publish(publications, (200, {"results": results}))
        self.assertEqual(["content" in message for message in received], [False, False, True])
        self.assertEqual((sealer.numbering.last, sealer.numbering.confirmed), (3, 0b100))

    def test_a_batch_that_the_relay_refused_confirms_nothing(self):
        sealer = self.sealer()
        refusal = {"error": {"code": "RATE_LIMITED", "message": "later"}}
        with self.assertRaisesRegex(sealwire.Refused, "RATE_LIMITED: later"):
            self.publish([sealer.seal("", "1")], (429, refusal))
        self.assertEqual((sealer.numbering.last, sealer.numbering.confirmed), (1, 0))

    def test_the_same_message_under_an_id_of_the_app_is_recognised_by_its_content(self):
        sent = [self.sealer().seal("added", payload, "absence-7").body for payload in ("1", "1", "2")]
        first, again, other = sent
        self.assertEqual([again["id"], other["id"]], [first["id"]] * 2)
        self.assertEqual(again["content"], first["content"])
        self.assertNotEqual(other["content"], first["content"])
        self.assertNotEqual(again["sealed"], first["sealed"])


if __name__ == "__main__":
    unittest.main()
