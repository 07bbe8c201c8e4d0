"""The WSGI entry that gunicorn serves."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from reviewapp.env import NEVER_AGAIN, or_a_sentence
from reviewapp.web.below_path import BelowPath

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
with or_a_sentence(status=NEVER_AGAIN):
    application = BelowPath(get_wsgi_application())

# Only a server imports this module, before it takes the first request, whose reader would wait for
# the views and templates otherwise. They can be imported only now, when Django is set up.
from reviewapp.web.jinja import compile_templates

import_module(settings.ROOT_URLCONF)
compile_templates()
