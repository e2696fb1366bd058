#!/bin/sh
# Starts MongoDB, unless passwords that are in the repository would guard a real shop.
set -eu
case ${PRODUCTION:-false} in
  '' | false | 0 | no | off) ;;
  *)
    for name in MONGO_INITDB_ROOT_PASSWORD MONGO_PROJECTOR_PASSWORD MONGO_BOT_PASSWORD MONGO_TOOLS_PASSWORD; do
      case $(printenv "$name") in
        *sandbox-only*) echo "mongo: $name is a local default: give it a value of your own in .env" >&2; exit 1 ;;
      esac
    done
    ;;
esac
exec docker-entrypoint.sh "$@"
