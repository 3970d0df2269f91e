"""A tracker that never answers and never ends."""

import signal

if __name__ == "__main__":
    signal.pause()
