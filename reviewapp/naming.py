"""The one form of labels, tags and names: what people may write, and what counts as the same.

What Mixpeek holds is shown and kept as it is, whatever its form.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

LINE_BREAKS_AND_CONTROLS = {"Cc", "Zl", "Zp"}
# They show nothing, or turn the direction of what follows. Joiners and marks of direction are left:
# some scripts, and emoji, need them.
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_IGNORED = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def tidy(text: str) -> str:
    """Return a name as it is stored: composed, and without white space at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def same_key(text: str) -> str:
    """Return the same key for names that people would take for one another.

    Capitals, compatibility forms, white space and invisible characters make no difference. It is ""
    for a text that shows nothing.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    visible = _IGNORED.sub("", unicodedata.normalize("NFKC", folded))
    return " ".join(visible.split())


def is_single_line(text: str) -> bool:
    """Return whether `text` holds no line break, tabulator or other control character."""
    categories = map(unicodedata.category, text)
    return not any(category in LINE_BREAKS_AND_CONTROLS for category in categories)


def unwritable(text: str) -> str:
    """Return a sentence if a name holds what nobody may write into one, "" if it is fine."""
    if not is_single_line(text):
        return _("Remove the line breaks and control characters.")
    match = _INVISIBLE.search(text)
    if match:
        code = f"U+{ord(match[0]):04X}"
        return _("Remove the invisible character %(code)s.") % {"code": code}
    return ""


def letters_pattern(text: str) -> str:
    """Return a regular expression for texts that hold the letters of `text` in their order.

    Python and PostgreSQL read it alike; white space in `text` does not count.
    """
    letters = [re.escape(letter) for letter in text if not letter.isspace()]
    return ".*".join(letters)
