"""The WSGI entry that gunicorn serves."""

from __future__ import annotations

import os
from contextlib import suppress

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import Resolver404, resolve, reverse

from reviewapp.env import NEVER_AGAIN, or_a_sentence
from reviewapp.operations.server.below_path import BelowPath

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
with or_a_sentence(status=NEVER_AGAIN):
    application = BelowPath(get_wsgi_application())

# Only a server imports this module, before it takes the first request, whose reader would wait for
# the views, the URL patterns and the templates otherwise. They can be loaded only now, when Django
# is set up.
from reviewapp.web.jinja import compile_templates

reverse(settings.LOGIN_URL)
with suppress(Resolver404):
    # No pattern matches it, so that all are compiled.
    resolve("/-/")
compile_templates()
