#!/usr/bin/env python3
"""Seals a JSON payload and publishes it or, without --url, prints the batch that publish.sh publishes.

The keys come from the environment: SEALWIRE_SIGNING_KEY is the key that `sealwire-relay init` printed, and
SEALWIRE_ENCRYPTION_KEY is the installation's encryption key in base64url.
"""

import argparse
import json
import os
import sys

try:
    import sealwire
except ModuleNotFoundError as missing:
    sys.exit(f"{missing}; install it with: python3 -m pip install -r requirements.txt")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="the relay's address, such as https://relay.example.com")
    parser.add_argument("--app", required=True, help="the app's id")
    parser.add_argument("--installation", required=True, help="the installation's id")
    parser.add_argument("--channel", required=True, help="the channel's name")
    parser.add_argument("--scope", type=json.loads, default={}, help="context properties, as a JSON object")
    parser.add_argument("--event", default="", help="the event's name")
    parser.add_argument("--id", help="the app's idempotency id; the same message is published once under it")
    parser.add_argument("payload", help="JSON text")
    arguments = parser.parse_args()
    try:
        signing_key = os.environ["SEALWIRE_SIGNING_KEY"] if arguments.url else None
        encryption_key = sealwire.from_base64url(os.environ["SEALWIRE_ENCRYPTION_KEY"])
    except KeyError as missing:
        sys.exit(f"the environment variable {missing} is not set; see --help")

    json.loads(arguments.payload)
    where = (arguments.app, arguments.installation, arguments.scope, arguments.channel)
    sealer = sealwire.Sealer(encryption_key, *where)
    publication = sealer.seal(arguments.event, arguments.payload, arguments.id)
    if arguments.url is None:
        print(json.dumps({"messages": [publication.body]}))
        return
    token = sealwire.backend_token(signing_key, arguments.app, arguments.installation)
    try:
        [result] = sealwire.publish(arguments.url, token, [publication])
    except sealwire.Refused as refused:
        sys.exit(str(refused))
    if "error" in result:
        sys.exit(f"{result['error']['code']}: {result['error']['message']}")
    print(result["eventId"])


if __name__ == "__main__":
    main()
