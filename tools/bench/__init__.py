"""`make bench`: measure the product beside a bare Django project on the same database."""
