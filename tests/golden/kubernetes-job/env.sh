# shellcheck shell=bash
# Environment of the run kubernetes-job, read by every script of this bundle.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.

# Each process computes on the cores it is given; more threads than cores only take turns.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# A random.py or queue.py in the folder of the spec is not Python's own.
export PYTHONSAFEPATH=1

# Names that the locale cannot show are printed with question marks.
export PYTHONIOENCODING="${PYTHONIOENCODING:-:replace}"

# CUDA counts the GPUs as NVML does: the energy meter and the power cap then read the boards that train
export CUDA_DEVICE_ORDER=PCI_BUS_ID

# NCCL's own complaints reach the log, without its chatter
export NCCL_DEBUG=WARN

# Less memory lost to fragmentation
export PYTORCH_ALLOC_CONF=expandable_segments:True

# Libfabric uses the Elastic Fabric Adapter
export FI_PROVIDER=efa

# Huge pages make fork fail in data loading
export FI_EFA_USE_HUGE_PAGE=0

# The container's own Python, not that of the host
export TRAINWRIGHT_PYTHON=python
