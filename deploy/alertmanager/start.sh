#!/bin/sh
# Starts Alertmanager with the bot's token and the chats of the environment: it reads neither from there by itself.
#
#   start.sh           starts the server, in the container
#   start.sh --print   prints its configuration
set -eu
here=$(cd "$(dirname "$0")" && pwd)

fail() {
  echo "alertmanager: $*" >&2
  exit 1
}

# The chats: those named for alerts, else the owners, else the staff channel.
chats() {
  for list in "${ALERT_CHATS:-}" "${ADMIN_IDS:-}" "${DB_CHANNEL:-}"; do
    if [ -n "$list" ]; then
      printf '%s' "$list" | tr ',' ' '
      return
    fi
  done
}

# The configuration with a receiver for each chat. A JSON text is a YAML text.
configuration() {
  token=${BOT_TOKEN:-}
  case $token in
    '' | *[!A-Za-z0-9:_-]*) fail "BOT_TOKEN is missing or no token" ;;
    *sandbox-only*)
      case ${PRODUCTION:-false} in
        '' | false | 0 | no | off) ;;
        *) fail "BOT_TOKEN is a local default: give it a value of your own in .env" ;;
      esac
      api=${BOT_API_URL:-${SANDBOX_URL:-}}
      ;;
    *) api=${BOT_API_URL:-} ;;
  esac
  api=${api:-https://api.telegram.org}
  cat "$here/alertmanager.yml"
  count=0
  for chat in $(chats); do
    case ${chat#-} in
      @*) fail "alerts go to chats by their numbers, not to $chat: set ALERT_CHATS or ADMIN_IDS; DB_CHANNEL may stay a name" ;;
      '' | *[!0-9]*) fail "a chat of ALERT_CHATS, ADMIN_IDS or DB_CHANNEL is no number" ;;
    esac
    printf '      - {bot_token: "%s", api_url: "%s", chat_id: %s, parse_mode: "", message: %s}\n' \
      "$token" "${api%/}" "$chat" "'{{ template \"tolov\" . }}'"
    count=$((count + 1))
  done
  [ "$count" -gt 0 ] || fail "nobody to tell: set ALERT_CHATS or ADMIN_IDS"
}

if [ "${1:-}" = --print ]; then
  configuration
  exit 0
fi
umask 077
configuration >/tmp/alertmanager.yml
exec /bin/alertmanager --config.file=/tmp/alertmanager.yml --storage.path=/alertmanager --cluster.listen-address=
