"""Builds the pretend CUDA for an installed torch: one library, under the names of all NVIDIA libraries that it needs.

What torch links to and the pretend does not define becomes a function that names itself and aborts. So no NVIDIA
package is installed but the runtime's headers, and nothing that a test needs can be missing in silence.
Usage: python build.py ENVIRONMENT FOLDER, where ENVIRONMENT is what `make device-env` makes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
NVIDIA = re.compile(r"lib(cu|nccl|nvrtc|nvshmem)")
SYMBOL = re.compile(r"^(__cuda|cu|nccl|nvrtc|nvshmem)\w+$")
ABSENT = """#include <stdio.h>
#include <stdlib.h>
static void absent(const char *name) { fprintf(stderr, "pretend CUDA: %s is not there\\n", name); abort(); }
"""


def output(*command: str | Path) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def torch_libraries(environment: Path) -> list[Path]:
    """The shared libraries of the environment's torch."""
    return sorted(environment.glob("lib/python3*/site-packages/torch/lib/*.so"))


def nvidia_names(libraries: list[Path]) -> set[str]:
    """The NVIDIA libraries that these are linked to."""
    names = {
        name for library in libraries for name in re.findall(r"NEEDED.*\[(.+)\]", output("readelf", "-d", library))
    }
    return {name for name in names if NVIDIA.match(name)}


def symbols(library: Path, *flags: str) -> set[str]:
    """The dynamic symbols of a library, without versions."""
    names = (line.split()[-1].split("@")[0] for line in output("nm", "-D", *flags, library).splitlines())
    return {name for name in names if SYMBOL.match(name)}


def compile_library(target: Path, headers: Path, *sources: Path) -> None:
    """Compile and link; warnings are errors."""
    flags = ("-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
    subprocess.run(["gcc", *flags, f"-I{headers}", "-o", target, *sources], check=True)


def build(environment: Path, folder: Path) -> None:
    """Build into `folder`; a process whose LD_LIBRARY_PATH it is sees pretend devices."""
    folder.mkdir(parents=True, exist_ok=True)
    headers, target = environment / "headers" / "nvidia" / "cu13" / "include", folder / "libpretend.so"
    libraries, sources = torch_libraries(environment), sorted(HERE.glob("*.c"))
    compile_library(target, headers, *sources)
    wanted: set[str] = set().union(*(symbols(library, "--undefined-only") for library in libraries))
    given: set[str] = set().union(*(symbols(library, "--defined-only") for library in [*libraries, target]))
    absent = folder / "absent.c"
    lines = (f'void {name}(void) {{ absent("{name}"); }}\n' for name in sorted(wanted - given))
    absent.write_text(ABSENT + "".join(lines), encoding="utf-8")
    compile_library(target, headers, *sources, absent)
    for name in nvidia_names(libraries) | {"libcuda.so.1"}:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target.name)


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
