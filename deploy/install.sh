#!/bin/sh
# Installs Tolov on one small server under systemd, upgrades it, rolls it back. Safe to run as often as one likes.
#
#   sudo deploy/install.sh BINARY       install or upgrade to this binary (target/release/tolov)
#   sudo deploy/install.sh --rollback   back to the release that ran before
#   sudo deploy/install.sh --status     what is installed
#
#   /opt/tolov/releases/VERSION-SUM/    one folder a release; the last 5 are kept
#   /opt/tolov/current, previous        links to two of them
#   /etc/tolov/tolov.env                settings; written once, never overwritten
#   /var/lib/tolov                      ledger, embedded bus and shop store, backups
#
# An upgrade makes a backup first, waits until the new release is healthy, and goes back by itself when it is not.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
base=/opt/tolov
settings=/etc/tolov/tolov.env
data=/var/lib/tolov
units=/etc/systemd/system
healthy_within_s=${HEALTHY_WITHIN_S:-60}

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

[ "$(id -u)" = 0 ] || fail "run it as root: sudo $0 $*"
command -v systemctl >/dev/null || fail "systemd is missing: on such a machine use docker compose"

# One at a time: two installations at once would mix their links.
exec 9>/run/lock/tolov-install
flock -n 9 || fail "another installation is at work"

release_of() { [ ! -L "$base/$1" ] || basename "$(readlink "$base/$1")"; }

# Replaces a link in one step: there is no moment without it.
point() { ln -sfn "releases/$2" "$base/.$1.new" && mv -T "$base/.$1.new" "$base/$1"; }

make_user() {
  getent group tolov >/dev/null || groupadd --system tolov
  getent passwd tolov >/dev/null || useradd --system --gid tolov --home-dir "$data" --no-create-home \
    --shell /usr/sbin/nologin tolov
}

make_folders() {
  install -d -m 755 "$base" "$base/releases"
  install -d -o root -g tolov -m 750 "$(dirname "$settings")" "$(dirname "$settings")/secrets"
  install -d -o tolov -g tolov -m 750 "$data" "$data/backups"
}

write_settings() {
  [ ! -e "$settings" ] || return 0
  umask 027
  {
    echo "# Settings of Tolov; each one is explained in .env.example. Then: systemctl restart tolov"
    echo "# A secret can live in a file: BOT_TOKEN_FILE=/etc/tolov/secrets/bot_token instead of BOT_TOKEN"
    echo "BOT_TOKEN="
    echo "DB_CHANNEL="
    echo "# Telegram ids of the owners, with commas between them: they may do everything, and add other staff in the bot."
    echo "ADMIN_IDS="
    echo "# What a delivery costs, in so'm; where orders can be picked up (in double quotes; empty: all are delivered)."
    echo "DELIVERY_PRICE=0"
    echo "PICKUP_ADDRESS="
    echo "CLICK_SERVICE_ID="
    echo "CLICK_MERCHANT_ID="
    echo "CLICK_MERCHANT_USER_ID="
    echo "CLICK_SECRET_KEY="
    echo "RETURN_URL="
    echo "# The password between the bot and the webhook service; made up by install.sh."
    echo "API_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
    echo "# Behind Caddy or nginx on the same machine."
    echo "WEBHOOK_ADDR=127.0.0.1:8000"
    echo "WEBHOOK_URL=http://127.0.0.1:8000"
    echo "METRICS_ADDR=127.0.0.1:9000"
    echo "LEDGER_PATH=$data/payments.db"
    echo "DATA_DIR=$data/tolov-data"
    echo "LOG_FORMAT=text"
  } >"$settings.new"
  chown root:tolov "$settings.new"
  chmod 640 "$settings.new"
  mv "$settings.new" "$settings"
  say "settings: $settings (fill it in)"
}

# True when what must be given is given, be it in a file.
settings_complete() {
  for name in BOT_TOKEN DB_CHANNEL CLICK_SERVICE_ID CLICK_MERCHANT_ID CLICK_SECRET_KEY; do
    grep -Eq "^${name}(_FILE)?=.+" "$settings" || { say "$name is missing in $settings"; return 1; }
  done
}

# The units are those of the current release: going back brings the earlier ones back too.
install_units() {
  changed=no
  for unit in tolov.service tolov-backup.service tolov-backup.timer; do
    if ! cmp -s "$base/current/systemd/$unit" "$units/$unit"; then
      install -m 644 "$base/current/systemd/$unit" "$units/$unit"
      changed=yes
    fi
  done
  [ $changed = no ] || systemctl daemon-reload
}

install_release() { # install_release BINARY; sets $release
  binary=$1
  [ -f "$binary" ] && [ -x "$binary" ] || fail "$binary is no program: cargo build --release -p tolov"
  version=$("$binary" --version | cut -d' ' -f2)
  [ -n "$version" ] || fail "$binary does not run on this machine"
  # Program and units: a change of either is another release.
  release=$version-$(cat "$binary" "$here"/systemd/* | sha256sum | cut -c1-12)
  [ ! -e "$base/releases/$release" ] || return 0
  rm -rf "$base/releases/.new"
  install -d -m 755 "$base/releases/.new"
  install -m 755 "$binary" "$base/releases/.new/tolov"
  install -d -m 755 "$base/releases/.new/systemd"
  install -m 644 "$here"/systemd/* "$base/releases/.new/systemd/"
  [ ! -f "$here/../docs/operations.md" ] || install -m 644 "$here/../docs/operations.md" "$base/releases/.new/"
  mv "$base/releases/.new" "$base/releases/$release"
}

back_up() {
  [ -e "$data/payments.db" ] || return 0
  if timeout 600 systemctl start tolov-backup.service; then
    say "backup: $data/backups"
  elif systemctl is-active --quiet tolov.service; then
    fail "no backup could be made: nothing was changed. journalctl -u tolov-backup"
  else
    # The release that is there does not run: waiting for a backup by it would keep the way out shut.
    say "no backup could be made, and the service does not run: going on without"
  fi
}

# Restarts, then waits until the service says by itself that it works.
restart_and_wait() {
  install_units
  systemctl enable --quiet tolov.service tolov-backup.timer
  systemctl start tolov-backup.timer
  # A service that failed too often would not be started any more.
  systemctl reset-failed tolov.service 2>/dev/null || true
  systemctl restart tolov.service || return 1
  waited=0
  while [ "$waited" -lt "$healthy_within_s" ]; do
    if timeout 5 runuser -u tolov -- env "METRICS_ADDR=$(metrics_addr)" "$base/current/tolov" healthcheck 9>&- >/dev/null 2>&1; then
      return 0
    fi
    sleep 1
    waited=$((waited + 1))
  done
  return 1
}

metrics_addr() {
  addr=$(sed -n 's/^METRICS_ADDR=//p' "$settings" | tail -n 1)
  printf '%s' "${addr:-127.0.0.1:9000}"
}

forget_old_releases() {
  kept=0
  # Names are VERSION-SUM, so words are whole names. Newest first.
  for name in $(ls -1t "$base/releases"); do
    case $name in "$(release_of current)" | "$(release_of previous)") continue ;; esac
    kept=$((kept + 1))
    [ "$kept" -le 3 ] || rm -rf "${base:?}/releases/$name"
  done
}

upgrade() {
  make_user
  make_folders
  write_settings
  install_release "$1"
  before=$(release_of current)
  if ! settings_complete; then
    point current "$release"
    say "installed $release; not started. Fill in $settings, then run this again"
    return 0
  fi
  if [ "$before" = "$release" ] && systemctl is-active --quiet tolov.service; then
    say "$release runs already (after a change of the settings: systemctl restart tolov)"
    return 0
  fi
  [ -z "$before" ] || back_up
  point current "$release"
  if restart_and_wait; then
    [ -z "$before" ] || [ "$before" = "$release" ] || point previous "$before"
    forget_old_releases
    say "$release runs"
    return 0
  fi
  if [ -n "$before" ] && [ "$before" != "$release" ]; then
    say "$release was not healthy within $healthy_within_s s: going back to $before"
    point current "$before"
    restart_and_wait || say "$before is not healthy either"
  fi
  fail "see journalctl -u tolov -n 50"
}

roll_back() {
  before=$(release_of previous)
  now=$(release_of current)
  [ -n "$before" ] && [ -x "$base/releases/$before/tolov" ] || fail "there is no earlier release"
  back_up
  point current "$before"
  point previous "$now"
  restart_and_wait || fail "$before is not healthy: journalctl -u tolov -n 50"
  say "$before runs; $now is the one to go back to"
}

case ${1:-} in
  --rollback) roll_back ;;
  --status)
    printf 'current: %s\nprevious: %s\nreleases: %s\n' "$(release_of current)" "$(release_of previous)" \
      "$(ls -1t "$base/releases" 2>/dev/null | tr '\n' ' ')"
    ;;
  '' | -*) sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
  *) upgrade "$1" ;;
esac
