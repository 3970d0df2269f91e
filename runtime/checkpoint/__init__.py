"""Checkpoints: generations on disk (store), a run saved and restored (save_restore), another layout (universal)."""
