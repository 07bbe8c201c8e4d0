"""Upstream annotations as we mirror them: absorbing, versions and who made them."""
