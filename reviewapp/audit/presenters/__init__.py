"""History for people: sentences, differences and the timeline."""
