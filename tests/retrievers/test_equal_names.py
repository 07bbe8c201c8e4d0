"""Retrievers of one name can be told apart in the filters of every list."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from reviewapp.accounts.models import User
from tests.factories import make_annotation, make_change, make_retriever


@pytest.mark.django_db
@pytest.mark.parametrize("list_name", ["queue", "deliveries", "history"])
def test_it_tells_retrievers_of_one_name_apart(client: Client, lena: User, list_name: str) -> None:
    make_retriever("Twin", retriever_id="ret_old", gone_at=timezone.now())
    make_retriever("Twin", retriever_id="ret_first")
    make_retriever("Twin", retriever_id="ret_second")
    make_retriever("Other", retriever_id="ret_other")
    make_change(make_annotation())
    client.force_login(lena)

    html = client.get(reverse(list_name)).content.decode()
    titles = re.findall(r"<option[^>]*>\s*([^<]+?)\s*</option>", html)
    twins = [title for title in titles if title.startswith("Twin")]

    assert len(twins) == len(set(twins)) == 3
    assert {"Twin (ret_first)", "Twin (ret_second)"} <= set(twins)
    assert "Other" in titles
