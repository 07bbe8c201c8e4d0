"""The WSGI entry that gunicorn serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from reviewapp.env import NEVER_AGAIN, or_a_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
with or_a_sentence(status=NEVER_AGAIN):
    application = get_wsgi_application()
