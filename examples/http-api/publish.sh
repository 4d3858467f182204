#!/usr/bin/env bash
# Publishes a batch of sealed messages with curl: publish.sh < batch.json
#
# SEALWIRE_URL           the relay's address, such as https://relay.example.com
# SEALWIRE_APP           the app's id
# SEALWIRE_INSTALLATION  the installation's id
# SEALWIRE_SIGNING_KEY   "<kid>.<secret>", printed by `sealwire-relay init`
#
# openssl takes the secret as an argument, which other users of the machine can see while the command runs.
set -euo pipefail

: "${SEALWIRE_URL:?is not set}" "${SEALWIRE_APP:?is not set}"
: "${SEALWIRE_INSTALLATION:?is not set}" "${SEALWIRE_SIGNING_KEY:?is not set}"

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# openssl needs the secret in hexadecimal.
kid=${SEALWIRE_SIGNING_KEY%%.*}
secret=$(tr -- '-_' '+/' <<<"${SEALWIRE_SIGNING_KEY#*.}" | tr -d '\n')
while ((${#secret} % 4)); do secret+='='; done
secret=$(openssl base64 -d -A <<<"$secret" | od -An -v -tx1 | tr -d ' \n')

# The backend token is signed with HMAC-SHA-512 and valid for a minute.
now=$(date +%s)
header=$(printf '{"alg":"HS512","kid":"%s","typ":"JWT"}' "$kid" | base64url)
claims=$(printf '{"aud":"sealwire:backend","iss":"%s","ins":"%s","iat":%d,"exp":%d}' \
  "$SEALWIRE_APP" "$SEALWIRE_INSTALLATION" "$now" "$((now + 60))" | base64url)
signature=$(printf '%s.%s' "$header" "$claims" |
  openssl dgst -sha512 -mac HMAC -macopt "hexkey:$secret" -binary | base64url)

# curl reads the token from a file, so that it is not visible among the arguments.
curl --silent --show-error --fail-with-body --max-time 10 \
  --header @<(printf 'Authorization: Bearer %s.%s.%s' "$header" "$claims" "$signature") \
  --header 'Content-Type: application/json' \
  --data-binary @- "${SEALWIRE_URL%/}/v1/publish"
