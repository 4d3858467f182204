#!/bin/sh
# Writes the passwords of a NATS cluster with the addresses of its servers: `nats.conf` for the servers, and `nats_password`
# for the relays. It never overwrites a file.
#
#   deploy/nats/secrets.sh FOLDER nats-1:6222 nats-2:6222 nats-3:6222
set -eu
[ $# -ge 2 ] || { echo "usage: $0 FOLDER SERVER:6222..." >&2; exit 2; }
folder=$1
shift
umask 077
mkdir -p "$folder"
cd "$folder"
set -C

# A variable of NATS whose text looks like a number would be one, so each password is quoted.
relay=$(openssl rand -hex 32)
operator=$(openssl rand -hex 32)
route=$(openssl rand -hex 32)
{
  printf '%s_password: "%s"\n' relay "$relay" operator "$operator" route "$route"
  echo 'routes: ['
  for server in "$@"; do
    printf '  "nats://route:%s@%s"\n' "$route" "$server"
  done
  echo ']'
} > nats.conf
printf '%s\n' "$relay" > nats_password
