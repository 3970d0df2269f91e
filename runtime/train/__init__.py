"""The training loop and what it decides with; `python -m trainwright.runtime.train`, one process per device."""
