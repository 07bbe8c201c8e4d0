"""Figures of decisions, for leads and for the people who made them."""
