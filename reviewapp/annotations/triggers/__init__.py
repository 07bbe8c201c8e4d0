"""The triggers of annotations: history, the counts of figures, the words of the search."""
