#!/bin/sh
# SPDX-License-Identifier: MIT
# The book in real headless Chromium.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/browser/book_check.py "${STORYFI:-build/storyfi}" "${TMPDIR:-/tmp}/storyfi-book.$$"
