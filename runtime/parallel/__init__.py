"""How ranks share one model: process groups, tensor parallelism, Ulysses, the pipeline schedule."""
