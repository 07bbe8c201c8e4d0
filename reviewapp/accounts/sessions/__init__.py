"""Sessions: their store, their signed proof, and the browsers they belong to."""
