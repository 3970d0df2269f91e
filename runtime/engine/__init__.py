"""DeepSpeed and nothing but: its engine, optimizer, process groups and checkpoint files."""
