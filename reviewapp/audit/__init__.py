"""History: who did what to what, for ever."""
