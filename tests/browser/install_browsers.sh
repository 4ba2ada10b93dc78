#!/bin/sh
# Install what the browser tests drive from Debian's packages, where it is missing and we may. Where not, they are skipped
# and say so: Chromium runs all of them; Firefox and WebKitGTK, on a screen of Xvfb, those of test_widget_elsewhere.py.
missing=""
has() { for name in "$@"; do if [ -n "$name" ] && command -v "$name" >/dev/null; then return 0; fi; done; return 1; }
has "$GAZE_CHROMIUM" chromium chromium-browser google-chrome || missing="$missing chromium"
has firefox-esr firefox || missing="$missing firefox-esr"
has WebKitWebDriver || missing="$missing webkit2gtk-driver"
has Xvfb || missing="$missing xvfb"
if [ -z "$missing" ]; then exit 0; fi
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing for the browser tests:$missing ..."
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  left=""
  for package in $missing; do
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || left="$left $package"
  done
  missing=$left
fi
if [ -n "$missing" ]; then echo "Missing, so that tests of theirs will be skipped:$missing"; fi
