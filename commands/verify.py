"""`trainwright verify RECEIPT [RUN...]`: every number of a receipt computed again, alone and against its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.exit_codes import Exit
from ..spec.foreign_text import on_one_line
from .options import FormatOption, TableOption, is_text
from .output import print_tables


def command(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A file of `trainwright receipt`.")],
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN", help="The run folders it is of, in its order.")
    ] = None,
    signers: Annotated[
        Path | None,
        typer.Option("--signers", metavar="FILE", help="Require a signature by a key of this allowed_signers file."),
    ] = None,
    form: FormatOption = "text",
    only: TableOption = None,
) -> None:
    """Name everything that differs. Exits with 0 where all holds, 1 where something differs, 2 where it is no receipt.

    Without RUN the receipt alone is computed. A signature beside it (RECEIPT.sig) is checked too.
    """
    from ..report.receipt.against_runs import compare_with_runs
    from ..report.receipt.read import parse_receipt, receipt_bytes
    from ..report.receipt.signature import check_signature, signature_of
    from ..report.receipt.tables import receipt_tables
    from ..report.receipt.verify import Difference, check_receipt, explain_totals

    content = receipt_bytes(receipt)
    found = parse_receipt(content, receipt)
    findings = check_receipt(found)
    if runs:
        findings += compare_with_runs(found, runs)
    signature, signed = signature_of(receipt), ""
    if signers or signature.is_file():
        good, signed = check_signature(content, signature, signers)
        findings += [] if good else [Difference(signature.name, f"is no valid signature: {signed}")]
    notes = explain_totals(found)
    if is_text(form) and not only:
        for finding in findings:
            print(f"DIFFERS  {on_one_line(finding.where)}: {on_one_line(finding.message)}")
        for note in [*notes, *([signed] if signed and not findings else [])]:
            print(f"note     {on_one_line(note)}")
        count = f"{len(found.numbers)} numbers from {len(found.inputs)} inputs"
        against = f"against {len(runs)} run folders" if runs else "the receipt alone; with RUN also the folder"
        print(f"{receipt}: {'DOES NOT HOLD' if findings else 'holds'}: {count} ({against})")
    else:
        data = {"holds": not findings, "findings": [[f.where, f.message] for f in findings], "notes": notes}
        print_tables(receipt_tables(found, findings), form, data, only)
    if findings:
        raise typer.Exit(Exit.DIFFERS)
