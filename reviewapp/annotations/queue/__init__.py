"""The queue: filters, search, counts, leases, and claiming the next item."""
