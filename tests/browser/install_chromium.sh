#!/bin/sh
# Install Chromium from Debian's packages where it is missing and we may. Where not, the browser tests are skipped and say so.
for name in "$GAZE_CHROMIUM" chromium chromium-browser google-chrome; do
  if [ -n "$name" ] && command -v "$name" >/dev/null; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "Installing Chromium for the browser tests ..."
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } && exit 0
fi
echo "Chromium is missing and could not be installed here: the browser tests will be skipped."
