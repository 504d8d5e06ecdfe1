"""Types of the values in study files, and mappings that refuse unknown keys."""

import difflib
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator

from dbd.messages import mismatch

PATTERNS = {
    "^[A-Z]$": "one upper-case letter",
    "^[a-z][a-z0-9_]*$": "a lower-case letter and then lower-case letters, digits and _",
    "^#[0-9a-fA-F]{6}$": "a colour as '#rrggbb'",
}
LETTER, NAME, COLOR = PATTERNS


def _no_truth(value: Any) -> Any:
    """Refuse true and false, which would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(mismatch(json.dumps(value), "a number"))
    return value


def _molecules(value: Any, check: Any) -> Any:
    """Check a number of molecules, or a range of it."""
    try:
        least, most = (value, value) if isinstance(value, int) else value
        if isinstance(value, bool) or not 0 <= least <= most:
            raise ValueError
        return check(value)
    except (TypeError, ValueError):
        raise ValueError(mismatch(json.dumps(value), "a number from 0, or a range [least, most]")) from None


Letter = Annotated[str, Field(pattern=LETTER)]
Name = Annotated[str, Field(pattern=NAME)]
Count = Annotated[int, Field(ge=1, strict=True)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_truth)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]
Molecules = Annotated[int | tuple[int, int], WrapValidator(_molecules)]


class Strict(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                    hint = f" (did you mean '{near[0]}'?)" if near else ""
                    raise ValueError(f"unknown key '{key}'{hint}, expected one of {', '.join(cls.model_fields)}")
        return data
