"""URLs of the pages about deliveries."""

from __future__ import annotations

from django.urls import path

from reviewapp.deliveries.views.attention import attention, by_ref, keep_upstream_values
from reviewapp.deliveries.views.deliveries import chosen_deliveries, deliveries, delivery_figures

urlpatterns = [
    path("deliveries", deliveries, name="deliveries"),
    path("deliveries/figures", delivery_figures, name="delivery_figures"),
    path("deliveries/chosen", chosen_deliveries, name="chosen_deliveries"),
    path("attention", attention, name="attention"),
    path("changes/<int:pk>/take-theirs", keep_upstream_values, name="take_theirs"),
    path("by-ref", by_ref, name="by_ref"),
]
