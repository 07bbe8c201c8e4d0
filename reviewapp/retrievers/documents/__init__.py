"""Documents as evidence: layout, media, highlights and snapshots."""
