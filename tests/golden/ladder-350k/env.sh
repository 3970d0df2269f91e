# shellcheck shell=bash
# Environment of the run ladder-350k, read by every script of this bundle.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.

# Each process computes on the cores it is given; more threads than cores only take turns.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# DeepSpeed trains on the CPU even where a GPU is present
export DS_ACCELERATOR=cpu

# The memory of a step is kept for the next: giving it back and fetching it anew takes 4% of a step
export GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864
