"""How codes look, for readers that leave out or note what is none.

Use ``fullmatch``: a field of the contract is held to its whole text.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from ivpush.contract.fields import Diagnosis, Ndc

__all__ = ["CODE", "DIAGNOSIS", "MODIFIER", "NDC"]


def _shape(field: Any) -> re.Pattern[str]:
    """The pattern of a field of the contract, which is written there alone."""
    _, constraints = get_args(field)
    return re.compile(constraints.pattern)


CODE = re.compile("[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
MODIFIER = re.compile("[A-Z0-9]{2}")
DIAGNOSIS = _shape(Diagnosis)
NDC = _shape(Ndc)
