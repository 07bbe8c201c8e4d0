"""Running a retriever: its input form, stages and results."""
