"""When to train: carbon intensity by the hour in, start, pauses and power caps out."""
