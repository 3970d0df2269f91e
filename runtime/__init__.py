"""The runtime: processes that read a bundle (never the YAML), train, meter and report."""
