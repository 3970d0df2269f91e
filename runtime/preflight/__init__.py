"""What is looked at before a run starts: the machine of each node, and the network between them."""
