"""Text that ends up in scripts, file names and manifests: each kind of it has an allow-list.

Quoting alone would not protect a leading `-` or a `#SBATCH` line, so no value can be more than a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


@dataclass(frozen=True, slots=True)
class TextPattern:
    """Pydantic metadata: text that matches `pattern` as a whole; `meaning` completes "it takes ..."."""

    pattern: str
    longest: int
    meaning: str

    def _read(self, text: str) -> str:
        if len(text) > self.longest or not re.fullmatch(self.pattern, text):
            meaning = f"{self.meaning}, at most {self.longest} characters"
            raise PydanticCustomError("word", "{meaning}", {"meaning": meaning})
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$", "maxLength": self.longest}


Name = Annotated[
    str,
    TextPattern(
        r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", 63, "small letters, digits, dots and dashes, no dash or dot at an end"
    ),
]
Label = Annotated[str, TextPattern(r"[A-Za-z0-9][A-Za-z0-9 ._+()-]*", 80, "letters, digits, blanks and . _ + ( ) -")]
FileGlob = Annotated[str, TextPattern(r"[^-\s#~][^\n\r\0]*", 1000, "a path that does not start with - # ~ or a blank")]
AbsolutePath = Annotated[
    str, TextPattern(r"/[A-Za-z0-9_./@:+,=-]*[A-Za-z0-9_]", 1000, "an absolute path, without blanks")
]
Key = Annotated[str, TextPattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", 100, "letters, digits and _ . -")]
RdmaDevice = Annotated[str, TextPattern(r"\^?=?[A-Za-z0-9][A-Za-z0-9_.:-]*", 64, "the name of a device or interface")]
Host = Annotated[str, TextPattern(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", 253, "a host name or an IPv4 address")]
Account = Annotated[str, TextPattern(r"[A-Za-z0-9_][A-Za-z0-9_.,+-]*", 100, "letters, digits and _ . , + -")]
Image = Annotated[str, TextPattern(r"[A-Za-z0-9/][A-Za-z0-9_.:/@#+-]*", 500, "an image reference or the path of one")]
ServerAddress = Annotated[
    str,
    TextPattern(
        r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?",
        500,
        "an address like https://mlflow.example.org:5000, without user and password",
    ),
]
KubernetesName = Annotated[str, TextPattern(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", 253, "a Kubernetes name (RFC 1123)")]
Resource = Annotated[str, TextPattern(r"[a-z0-9][a-z0-9.-]*/[A-Za-z0-9_.-]+", 253, "a resource like rdma/ib")]
Variable = Annotated[
    str, TextPattern(r"[A-Za-z_][A-Za-z0-9_]*", 100, "the name of an environment variable, not its value")
]
Mount = Annotated[
    str,
    TextPattern(
        r"/[A-Za-z0-9_./+@-]*:/[A-Za-z0-9_./+@-]*(:r[ow])?", 500, "a mount like /host/path:/container/path or ...:ro"
    ),
]
PythonPath = Annotated[str, TextPattern(r"[A-Za-z0-9/][A-Za-z0-9_./+-]*", 500, "the name or path of a Python program")]
SlurmList = Annotated[
    str, TextPattern(r"[A-Za-z0-9_][A-Za-z0-9_.,:=()\[\]-]*", 500, "letters, digits and _ . , : = ( ) [ ] -")
]
_SLURM_TEXT = r"[A-Za-z0-9_/([!](?:[A-Za-z0-9_ .,:;=()\[\]/@+*&|!-]*[A-Za-z0-9_.,:;=()\[\]/@+*&|!-])?"
_SLURM_SIGNS = "letters, digits, blanks and . , : ; = ( ) [ ] / @ + * & | ! -"
SlurmText = Annotated[str, TextPattern(_SLURM_TEXT, 500, _SLURM_SIGNS)]
SlurmValue = Annotated[str, TextPattern(f"({_SLURM_TEXT})?", 500, f"nothing, or {_SLURM_SIGNS}")]
SlurmOption = Annotated[
    str, TextPattern(r"[a-z][a-z0-9-]*", 40, "a long option of sbatch without its dashes, like `wckey`")
]
KubernetesLabel = Annotated[
    str,
    TextPattern(
        r"[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?", 253, "a label or its value, like topology.kubernetes.io/zone"
    ),
]
_PRINTABLE = r"(?:[\x20-\x7e]|[^\W_])"
# A line of shell is code by design (launch.setup), and a value of an environment variable is quoted where it stands:
# letters of any script, blanks and ASCII signs, so that neither can end its line.
Note = Annotated[
    str,
    TextPattern(
        rf"[^\W_](?:{_PRINTABLE}*(?:[!-~]|[^\W_]))?",
        500,
        "one line of printable text that begins with a letter or a digit",
    ),
]
ShellLine = Annotated[str, TextPattern(rf"{_PRINTABLE}*", 2000, "one line of printable text")]
