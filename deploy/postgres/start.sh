#!/bin/sh
# Starts PostgreSQL, unless passwords that are in the repository would guard a real shop.
set -eu
case ${PRODUCTION:-false} in
  '' | false | 0 | no | off) ;;
  *)
    for name in POSTGRES_PASSWORD POSTGRES_WEBHOOK_PASSWORD POSTGRES_TOOLS_PASSWORD; do
      case $(printenv "$name") in
        *sandbox-only*) echo "postgres: $name is a local default: give it a value of your own in .env" >&2; exit 1 ;;
      esac
    done
    ;;
esac
exec docker-entrypoint.sh "$@"
