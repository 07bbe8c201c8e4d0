"""`make bench`: how fast the product is, measured beside a bare Django view on the same database."""
