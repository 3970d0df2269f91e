# shellcheck shell=bash
# Environment of the run tiny-cpu, read by every script of this bundle.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.

# Each process computes on the cores it is given; more threads than cores only take turns.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# A random.py or queue.py in the folder of the spec is not Python's own.
export PYTHONSAFEPATH=1

# Names that the locale cannot show are printed with question marks.
export PYTHONIOENCODING="${PYTHONIOENCODING:-:replace}"

# What another job left in the environment would send these ranks to its meeting point.
foreign=()
for variable in RANK LOCAL_RANK GROUP_RANK ROLE_RANK WORLD_SIZE LOCAL_WORLD_SIZE GROUP_WORLD_SIZE ROLE_WORLD_SIZE CROSS_RANK CROSS_SIZE LOCAL_SIZE MASTER_ADDR MASTER_PORT ${!PET_@} ${!TORCHELASTIC_@} ${!OMPI_COMM_WORLD_@}; do
  [[ -z ${!variable+set} ]] || foreign+=("$variable")
done
if ((${#foreign[@]})); then
  (echo "trainwright: ignored, since they belong to another job: ${foreign[*]}" >&2) || true # nobody may read it
  unset "${foreign[@]}"
fi
unset foreign variable

# DeepSpeed trains on the CPU even where a GPU is present
export DS_ACCELERATOR=cpu

# The memory of a step is kept for the next: giving it back and fetching it anew takes 4% of a step
export GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864
