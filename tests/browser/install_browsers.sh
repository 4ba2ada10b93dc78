#!/bin/sh
# Install what the browser tests drive from Debian's packages, where it is missing and we may. Where not, they are skipped
# and say so: Chromium runs all of them; Firefox and WebKitGTK, on a screen of Xvfb, those of test_widget_elsewhere.py.
missing=""
has() { for name in "$@"; do if [ -n "$name" ] && command -v "$name" >/dev/null; then return 0; fi; done; return 1; }
has_chromium() { has "$GAZE_CHROMIUM" chromium-headless-shell chromium chromium-browser google-chrome; }
may_install() { command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; }
install() { apt-get install -y -qq --no-install-recommends "$1" >/dev/null 2>&1; }
# With windows it does as well, in twice the time.
has "$GAZE_CHROMIUM" chromium-headless-shell || { has_chromium && ! may_install; } || missing="$missing chromium-headless-shell"
has firefox-esr firefox || missing="$missing firefox-esr"
has WebKitWebDriver || missing="$missing webkit2gtk-driver"
# WebKitGTK decodes VP9 with plugins that its package only recommends.
set -- /usr/lib/*/gstreamer-1.0/libgstvideoparsersbad.so
[ -e "$1" ] || missing="$missing gstreamer1.0-plugins-bad"
has Xvfb || missing="$missing xvfb"
if [ -z "$missing" ]; then exit 0; fi
if may_install; then
  echo "Installing for the browser tests:$missing ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  left=""
  for package in $missing; do
    install "$package" || left="$left $package"
  done
  has_chromium || install chromium
  if has_chromium; then left=${left# chromium-headless-shell}; fi
  missing=$left
fi
if [ -n "$missing" ]; then echo "Missing, so that tests of theirs will be skipped:$missing"; fi
