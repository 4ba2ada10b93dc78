#!/bin/sh
# Lint the JavaScript and the style sheets with Biome. Where npm cannot install it, say so and go on.
cd "$(dirname "$0")/../.." || exit 1
biome=${BIOME:-tests/browser/node_modules/.bin/biome}
has() { command -v "$biome" >/dev/null; }
if ! has && command -v npm >/dev/null; then
  (cd tests/browser && npm install --no-audit --no-fund --no-package-lock --ignore-scripts >/dev/null)
fi
if ! has; then
  echo "npm is missing or could not install Biome: the JavaScript was not linted."
  exit 0
fi
"$biome" check --no-errors-on-unmatched
