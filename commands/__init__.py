"""One file a command: arguments in, printing and an exit code out. A file `x_.py` holds the command `x`."""
