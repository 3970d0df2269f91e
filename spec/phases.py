"""Phases of a run that are known by name."""

PREPARATION = ("tokenizer", "data")  # before training: they belong to no attempt and hold no training device
