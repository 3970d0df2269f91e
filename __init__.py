"""Trainwright: a declarative training-spec compiler.

One spec says what to train; Trainwright checks it, plans it, tells its cost, renders it, trains it and reports it.
"""

__version__ = "0.1.0"
