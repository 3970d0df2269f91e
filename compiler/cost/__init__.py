"""The cost models: compute, memory, network, power, carbon; all answer a `StepCase`."""
