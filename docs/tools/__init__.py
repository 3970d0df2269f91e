"""What builds the documentation: pages written from the code, and examples whose output is that of a real run."""
