"""Report stages 1 to 5: run folders in; history, attempts, the emissions row, scopes, hours and curves out."""
