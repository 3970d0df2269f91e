"""Before training: tokenizer and shards made from the corpus, by `python -m trainwright.runtime.prepare`."""
