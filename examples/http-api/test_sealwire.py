"""Recomputes the vectors that all implementations share. Run: python3 -m unittest"""

import hashlib
import hmac
import json
import pathlib
import unittest

import sealwire

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


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
        cases = [case for case in load("sealed") if case["payload"] is not None]
        self.assertGreaterEqual(len(cases), 4)
        for case in cases:
            where = (case["app"], case["installation"], case["scope"], case["name"], case["event"])
            nonce = bytes.fromhex(case["nonce"])
            key = bytes.fromhex(case["encryption_key"])
            sealed = sealwire.seal(key, *where, case["payload"], case["published_at_ms"], nonce)
            self.assertEqual(sealed.hex(), case["sealed"], case["what"])

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


if __name__ == "__main__":
    unittest.main()
