"""The session for requests to the identity provider: each ends in time, whatever is sent."""

from __future__ import annotations

from typing import Any

import requests
from allauth.socialaccount import app_settings
from urllib3.exceptions import HTTPError

from reviewapp.accounts.sso.documents import check_document
from reviewapp.deadline import Deadline, DeadlineAdapter


class ProviderSession(requests.Session):
    """A session that gives up on an answer that does not end, and refuses documents of no use."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", DeadlineAdapter())
        self.mount("http://", DeadlineAdapter())
        self.hooks["response"].append(check_document)

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request and return the response, its body read.

        Connecting and each read may take SOCIALACCOUNT_REQUESTS_TIMEOUT seconds, the exchange with
        its redirects twice that. Raises `requests.RequestException`, and `OAuth2Error` for the
        document.
        """
        seconds = app_settings.REQUESTS_TIMEOUT
        options["timeout"] = seconds
        # The timeouts bound each read only: a provider may send a byte before each.
        deadline = Deadline(2 * seconds)
        try:
            with deadline:
                response = super().request(*args, **options)
        except requests.RequestException:
            if not deadline.has_passed:
                raise
        except (HTTPError, OSError) as error:
            if not deadline.has_passed:
                raise requests.ConnectionError("The provider's answer broke off") from error

        # A connection that was shut down may look like one that the provider closed.
        if deadline.has_passed:
            raise requests.Timeout("The provider did not finish its answer in time")
        return response
