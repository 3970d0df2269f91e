"""The power cap of this node's GPUs: set where that is our task, read back everywhere, restored afterwards.

`python -m trainwright.runtime.power_cap apply|read|restore --bundle DIR --run DIR`, around what node.sh does.
Only the mode `sudo` changes a limit; in the others the site does, and we look whether it did. A cap that is not in
force is reported and recorded, never assumed, and stops nothing.
"""
