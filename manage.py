#!/usr/bin/env python
"""Django's command line for reviewapp."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from reviewapp.env import or_a_sentence

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
    with or_a_sentence():
        execute_from_command_line(sys.argv)
