# shellcheck shell=bash
# Environment of the run llama2-7b-250w, read by every script of this bundle.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.

# Each process computes on the cores it is given; more threads than cores only take turns.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# CUDA counts the GPUs as NVML does: the energy meter and the power cap then read the boards that train
export CUDA_DEVICE_ORDER=PCI_BUS_ID

# NCCL's own complaints reach the log, without its chatter
export NCCL_DEBUG=WARN

# Less memory lost to fragmentation
export PYTORCH_ALLOC_CONF=expandable_segments:True
