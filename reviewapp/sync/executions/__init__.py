"""Running a retriever at Mixpeek and storing its results."""
