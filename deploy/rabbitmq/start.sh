#!/bin/sh
# Starts RabbitMQ with the accounts, exchanges and queues of definitions.json. They are imported at every start, so a
# password that was changed in .env, or a queue that was lost, is right again after a restart.
#
#   start.sh           starts the server, in the container
#   start.sh --print   prints the definitions with the passwords of the environment
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# The definitions with the passwords in place of @NAME@.
definitions() {
  script=
  for name in RABBITMQ_ADMIN_PASSWORD RABBITMQ_WEBHOOK_PASSWORD RABBITMQ_PROJECTOR_PASSWORD RABBITMQ_BOT_PASSWORD \
    RABBITMQ_TOOLS_PASSWORD; do
    password=$(printenv "$name") || { echo "rabbitmq: $name is missing" >&2; exit 1; }
    case $password in
      '' | *[!A-Za-z0-9_-]*) echo "rabbitmq: $name must have letters, digits, - and _ alone" >&2; exit 1 ;;
      *sandbox-only*)
        case ${PRODUCTION:-false} in
          '' | false | 0 | no | off) ;;
          *) echo "rabbitmq: $name is a local default: give it a value of your own in .env" >&2; exit 1 ;;
        esac
        ;;
    esac
    script="$script;s/@$name@/$password/"
  done
  sed "${script#;}" "$here/definitions.json"
}

if [ "${1:-}" = --print ]; then
  definitions
  exit 0
fi
umask 077
definitions >/tmp/definitions.json
exec docker-entrypoint.sh rabbitmq-server
