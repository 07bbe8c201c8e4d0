"""The review page: its context, label buttons, shortcuts and prefetching."""
