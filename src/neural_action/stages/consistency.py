"""Stage: how well embeddings map linearly onto each other."""
