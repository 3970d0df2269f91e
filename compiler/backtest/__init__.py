"""Predictions beside runs that really happened: published rows, vTrain's measurements, a user's own runs."""
