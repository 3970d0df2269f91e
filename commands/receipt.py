"""`trainwright receipt RUN...`: one JSON file with everything that the emissions table of runs rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..spec.problem import InputError

if TYPE_CHECKING:
    from ..report.receipt.values import Receipt


def command(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there; default standard output.")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", metavar="KEY", help="Sign FILE with an ssh key, into FILE.sig.")
    ] = None,
) -> None:
    """Digests, readings, factors with their sources, and every number with the expression that makes it."""
    from ..report.receipt.build import build_receipt
    from ..report.receipt.values import receipt_text

    if sign and not out:
        raise InputError.one("TW869", "--sign signs a file, and none is written", "Name it with --out FILE.")
    if sign and not sign.is_file():
        raise InputError.one("TW869", f"there is no key {sign}", "Name the file of a private ssh key.", "--sign")
    receipt = build_receipt(runs)
    if out is None:
        print(receipt_text(receipt), end="")
        return
    write_receipt(receipt, out)
    if sign:
        from ..report.receipt.signature import sign as sign_file

        print(f"Signed it: {sign_file(out, sign)}")


def write_receipt(receipt: Receipt, path: Path) -> None:
    """Write a receipt, whole or not at all, and say so. Raises InputError (TW865) where it cannot be written."""
    from ..report.receipt.values import is_receipt, receipt_text
    from ..spec.atomic_files import write_atomically
    from ..spec.run_parts import refuse_part_of_run

    refuse_part_of_run(path, "--out")
    if path.exists() and not is_receipt(path):
        raise InputError.one("TW865", f"{path} exists and is no receipt", "Name another file with --out.")
    try:
        write_atomically(path, receipt_text(receipt).encode())
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        raise InputError.one("TW865", message, "Give a file that can be written with --out.") from error
    print(
        f"Wrote {path}: {len(receipt.numbers)} numbers from {len(receipt.inputs)} inputs; `trainwright verify {path}`"
    )
