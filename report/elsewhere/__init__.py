"""Training that was run and metered by others: files of their tools in, rows of the emissions table out."""
