"""Training data: tokenized shards on disk, and batches that are a pure function of (seed, step, rank)."""
