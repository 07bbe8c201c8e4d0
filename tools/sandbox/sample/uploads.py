"""The mixed collection: audio, video and PDF uploads, checked for duplicates and by rules."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tools.sandbox.sample.brands import Finding
from tools.sandbox.sample.generator import Json, blob, chance, day, document, ident, lost_blob
from tools.sandbox.sample.multilingual import MESSAGES
from tools.sandbox.sample.papers import PAPERS, paper

COLLECTION = "col_uploads"
UPLOADS = 192
FILES = 16
KINDS = ("audio", "video", "pdf")
_TITLES = {
    "audio": (
        "Jingle for the autumn sale",
        "Hold music, second draft",
        "Door chime recording",
        "Podcast intro",
        "Ringtone pack",
    ),
    "video": (
        "Product spin, studio light",
        "Shop window loop",
        "Ten second teaser",
        "Unboxing, first cut",
        "Event screen animation",
    ),
    "pdf": (
        "Supplier paper",
        "Scan from the front desk",
        "Signed copy",
        "Attachment of an e-mail",
        "Archive import",
    ),
}
_SPEECH = (
    "Welcome back. This week only, everything on the third shelf is half price, and the coffee is on us.",
    (
        "Please hold the line. Your call is important to us, and the next free colleague will be with you shortly."
    ),
    "What you see here is the second prototype; mind the hinge, it is printed and not yet cast.",
    "No speech. Three rising tones, a short pause, the same tones again and a soft echo at the end.",
    "If you want to be taken off this list, do not answer. Send us your card number and we will see to it.",
)
_UPLOADERS = (
    "studio-hafen",
    "m.delacroix",
    "guest-4471",
    "kiosk.central",
    "人見 葵",
    "דנה לוי",
    "agency Blau",
)


def documents() -> Iterator[Json]:
    """Yield the uploads; files are shared by several of them, which is what duplicates are."""
    for number in range(UPLOADS):
        pick = chance("upload", number)
        days = 3 + number * 0.33
        yield document(
            COLLECTION,
            number,
            days,
            fields=_fields(number, pick, days),
            blobs=_blobs(number, days),
            modality=kind(number),
        )


def kind(number: int) -> str:
    """Return the kind of an upload."""
    return KINDS[number % len(KINDS)]


def file_number(number: int) -> int:
    """Return which file of its kind an upload is."""
    files = PAPERS if kind(number) == "pdf" else FILES
    return chance("file", number).randrange(files)


def twin(number: int) -> int | None:
    """Return the first earlier upload of the same file, or None."""
    for earlier in range(number % 3, number, 3):
        if file_number(earlier) == file_number(number):
            return earlier
    return None


def _blobs(number: int, days: float) -> list[Json]:
    file = file_number(number)
    if number in {25, 88}:
        reason = "The upload was interrupted and never completed"
        return [lost_blob("file", f"upload-{number:04d}.mp4", reason)]
    if kind(number) == "audio":
        return [blob("audio", f"audio-{file:02d}.mp3", days)]
    if kind(number) == "video":
        poster = blob("video", f"video-{file:02d}.webp", days, role="thumbnail")
        return [blob("video", f"video-{file:02d}.mp4", days), poster]
    return [blob("pdf", f"paper-{file:02d}.pdf", days)]


def _fields(number: int, pick: random.Random, days: float) -> Json:
    if number % 8:
        language = "en"
        words = pick.choice(_SPEECH)
    else:
        language, words = MESSAGES[number // 8 % len(MESSAGES)]

    if kind(number) == "pdf" and number % 4:
        title, _paragraphs = paper(file_number(number))
    else:
        title = pick.choice(_TITLES[kind(number)])

    fields: Json = {
        "title": title,
        "media_type": kind(number),
        "uploader": pick.choice(_UPLOADERS),
        "uploaded_on": day(days),
        "language": language,
        "similarity": {"score": similarity(number), "nearest_document_id": _nearest(twin(number))},
        "moderation": moderation(number),
    }
    if kind(number) == "pdf":
        head, body = paper(file_number(number))
        return {**fields, "text": "\n\n".join([head, *body])}
    segment = {"start_time": 0.0, "end_time": 3.0}
    return {**fields, "transcript": words, "duration_seconds": 3.0, "segment": segment}


def _nearest(earlier: int | None) -> str | None:
    if earlier is None:
        return None
    return ident("doc", COLLECTION, earlier)


def similarity(number: int) -> float:
    """Return how alike the upload and its nearest earlier one are."""
    low, high = (0.91, 0.999) if twin(number) is not None else (0.12, 0.93)
    return round(chance("similarity", number).uniform(low, high), 3)


def moderation(number: int) -> Json:
    """Return the scores of the moderation model."""
    pick = chance("moderation", number)
    return {name: round(pick.random() ** 4, 3) for name in ("spam", "violence", "adult", "fraud")}


def finding(number: int) -> Finding:
    """Return what the machine says: duplicate or not, and whether a rule is broken."""
    scores = moderation(number)
    alike = similarity(number)
    earlier = twin(number)
    worst = max(scores, key=lambda name: scores[name])

    if scores[worst] > 0.7:
        label = "policy_violation"
        confidence = scores[worst]
        reasoning = (
            f"The {worst} score of {confidence:.2f} is above the limit of 0.70;"
            " the other three are low."
        )
    elif alike > 0.9:
        label = "near_dupe" if earlier is None else "confirmed_dupe"
        confidence = alike
        reasoning = (
            f"Fingerprints agree on {alike:.1%} of their windows. Length and "
            "loudness are the same; only the name differs."
        )
    else:
        label = "distinct"
        confidence = 1 - alike / 2
        reasoning = (
            f"The nearest earlier upload agrees on {alike:.1%} only,"
            " which is usual for two works of the same kind."
        )

    payload = {
        "similarity": alike,
        "nearest_document_id": _nearest(earlier),
        "moderation": scores,
    }
    return Finding(
        label=label,
        confidence=round(confidence, 2),
        reasoning=reasoning,
        payload=payload,
    )
