"""Starting, following and stopping runs. Training itself is `runtime/train`."""
