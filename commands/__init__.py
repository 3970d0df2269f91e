"""One file per command: arguments in, printing and an exit code out."""
