"""The pages of work on many items at once: batches of decisions, and reverts."""
