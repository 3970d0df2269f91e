"""Checkpoints: generations on disk (store), the files inside one (files), the engine's state (save, restore)."""
