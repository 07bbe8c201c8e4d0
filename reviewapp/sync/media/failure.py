"""Why a browser did not show a file, in a sentence: what happened, and what helps. Pure."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext as _

from reviewapp.sync.media.file_start import SUCCESS, FileStart

REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_TYPES = {"image": "image/", "video": "video/", "audio": "audio/", "pdf": "application/pdf"}
# What hosts call a file of which they know no type.
_UNKNOWN_TYPES = {"", "application/octet-stream", "binary/octet-stream"}
# The names of formats that most browsers do not show, by content type.
_UNSHOWN_TYPES = {
    "image/heic": "HEIC",
    "image/heif": "HEIF",
    "image/tiff": "TIFF",
    "image/jp2": "JPEG 2000",
    "image/x-adobe-dng": "DNG",
    "image/vnd.adobe.photoshop": "Photoshop",
    "video/quicktime": "QuickTime",
    "video/x-msvideo": "AVI",
    "video/x-ms-wmv": "WMV",
    "video/x-matroska": "Matroska",
    "audio/x-ms-wma": "WMA",
    "audio/aiff": "AIFF",
    "audio/x-aiff": "AIFF",
}
# The same by the brand in the first bytes of the file, whatever its host calls it.
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_TIFF_STARTS = (b"II*\0", b"MM\0*")


def describe_failure(kind: str, start: FileStart) -> str:
    """Return why a browser does not show a file of this kind that starts so at its host."""
    status = start.status
    if status in REFUSED:
        return _(
            "Its link has expired, or its host refuses it (status %(status)s). Load it again to "
            "get a new link."
        ) % {"status": int(status)}
    if status in _GONE:
        sentence = _("Its host does not have the file any more (status %(status)s).")
        return sentence % {"status": int(status)}
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        sentence = _("Its host cannot serve it now (status %(status)s). Load it again in a moment.")
        return sentence % {"status": int(status)}
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _("The file is empty.")
    if status not in SUCCESS:
        sentence = _("Its host answered with status %(status)s instead of the file.")
        return sentence % {"status": int(status)}
    return _describe_content(kind, start)


def _describe_content(kind: str, start: FileStart) -> str:
    nouns = {"image": _("picture"), "video": _("video"), "audio": _("recording"), "pdf": _("PDF")}
    noun = nouns.get(kind, _("file"))
    advice = _("Open it in a new tab to save it, and look at it in another program.")
    if not start.content:
        return _("The file is empty.")

    unshown = _unshown_format(start)
    if unshown:
        sentence = _("It is a %(noun)s in the format %(name)s, which this browser does not show.")
        return f"{sentence % {'noun': noun, 'name': unshown}} {advice}"

    is_other = not start.content_type.startswith(_TYPES.get(kind, ""))
    if is_other and start.content_type not in _UNKNOWN_TYPES:
        sentence = _("Its host sends %(content_type)s instead of a %(noun)s.")
        return sentence % {"content_type": start.content_type, "noun": noun}
    sentence = _("The %(noun)s is damaged, or in a format that this browser does not show.")
    return f"{sentence % {'noun': noun}} {advice}"


def _unshown_format(start: FileStart) -> str:
    if start.content[4:8] == b"ftyp" and start.content[8:12] in _HEIC_BRANDS:
        return "HEIC"
    if start.content.startswith(_TIFF_STARTS):
        return "TIFF"
    return _UNSHOWN_TYPES.get(start.content_type, "")
