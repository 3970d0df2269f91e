"""Receipts: what an emissions table rests on, with the arithmetic of every number, so that anyone can do it again."""
