"""The state of deliveries: health, figures, summaries and the banner."""
