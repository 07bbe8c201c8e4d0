"""The text collection: clinical notes of invented patients, and the codes a model proposes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.sandbox.sample.brands import Finding
from tools.sandbox.sample.generator import Json, chance, day, document
from tools.sandbox.sample.multilingual import MESSAGES

COLLECTION = "col_clinical_notes"
NOTES = 228


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One diagnosis: its code and weight, and how it shows in a note."""

    code: str
    name: str
    weight: float
    story: str
    exam: str
    plan: str


CONDITIONS = (
    Condition(
        code="E11.40",
        name="Type 2 diabetes with neuropathy",
        weight=0.302,
        story=(
            "Reports burning in both feet at night for about {n} months; "
            "checks glucose most mornings, usually {g} mg/dL."
        ),
        exam="Monofilament sensation reduced over both great toes. Skin of the feet intact. HbA1c {h}%.",
        plan=(
            "Continue metformin 1000 mg twice daily, start duloxetine 30 mg, "
            "podiatry referral, repeat HbA1c in three months."
        ),
    ),
    Condition(
        code="I10",
        name="Essential hypertension",
        weight=0.0,
        story=(
            "Home readings between {s}/84 and {s}/92; no headache, no visual change. Takes the tablets every day."
        ),
        exam="Blood pressure {s}/88, repeated after five minutes {s}/86. No oedema.",
        plan="Increase amlodipine to 10 mg, low-salt advice given, readings to be sent in after two weeks.",
    ),
    Condition(
        code="J44.1",
        name="COPD with acute exacerbation",
        weight=0.335,
        story=(
            "More breathless for {n} days, sputum has turned yellow, uses "
            "the salbutamol inhaler up to eight times a day."
        ),
        exam="Expiratory wheeze on both sides, saturation {o}% on room air, respiratory rate 22.",
        plan="Prednisolone 40 mg for five days, doxycycline, inhaler technique checked, review on Friday.",
    ),
    Condition(
        code="N18.31",
        name="Chronic kidney disease, stage 3a",
        weight=0.127,
        story="Known reduced kidney function, stable for two years. Avoids ibuprofen since the last visit.",
        exam="eGFR {e} mL/min, potassium 4.6, albumin-creatinine ratio 48 mg/g.",
        plan="Continue ramipril, repeat bloods in six months, no contrast without discussion.",
    ),
    Condition(
        code="F32.1",
        name="Moderate depressive episode",
        weight=0.299,
        story=(
            "Low mood and early waking for {n} weeks, has stopped seeing "
            "friends; no thoughts of self-harm. PHQ-9 is {p}."
        ),
        exam="Looks tired, good eye contact, speech slow but coherent.",
        plan="Sertraline 50 mg, talking therapy arranged, safety plan discussed with partner present.",
    ),
    Condition(
        code="I48.91",
        name="Atrial fibrillation, unspecified",
        weight=0.268,
        story="Noticed a fluttering in the chest on {n} evenings; no chest pain, no fainting.",
        exam="Pulse irregularly irregular at {r} per minute. ECG without P waves.",
        plan="Apixaban 5 mg twice daily, bisoprolol 2.5 mg, echocardiogram requested.",
    ),
    Condition(
        code="M54.50",
        name="Low back pain",
        weight=0.0,
        story="Pain across the lower back since lifting a washing machine {n} days ago; none below the knee.",
        exam="Straight leg raise negative, power and reflexes normal, no midline tenderness.",
        plan="Stay active, naproxen for one week with food, physiotherapy if not better in four weeks.",
    ),
    Condition(
        code="G43.909",
        name="Migraine without status migrainosus",
        weight=0.0,
        story="{n} attacks in the last month, one-sided, with nausea; lies down in a dark room. No aura.",
        exam="Cranial nerves normal, fundi clear, neck supple.",
        plan="Sumatriptan 50 mg at onset, headache diary, propranolol discussed if attacks go on.",
    ),
)
_SEX = ("woman", "man")
_SPECIALTIES = (
    "family medicine",
    "internal medicine",
    "cardiology",
    "pulmonology",
    "endocrinology",
)
_CLINICIANS = (
    "Dr. A. Lindholm",
    "Dr. P. Nwosu",
    "Dr. R. Castellano",
    "N.P. J. Whitfield",
    "Dr. M. Sato",
)
_DAYS = (
    "slept well, ate half of breakfast, walked to the end of the corridor with the physiotherapist",
    "more comfortable after the change of inhaler, no fever overnight, drinking well",
    "asked to go home; bloods improving, drip stopped at noon, family visited in the afternoon",
    "a restless night with cough, one dose of codeine, chest clearer by the evening round",
)


def documents() -> Iterator[Json]:
    """Yield the notes."""
    for number in range(NOTES):
        pick = chance("note", number)
        days = 1 + number * 0.28
        kind = "Discharge summary" if is_long(number) else "Progress note"
        codes = [{"code": code.code, "description": code.name} for code in proposed(number)]
        language = "en"
        if number % 9 == 4:
            language, _message = MESSAGES[number % len(MESSAGES)]
        fields = {
            "title": f"{kind}: {conditions(number)[0].name}",
            "note_type": kind.lower().replace(" ", "_"),
            "patient": {
                "mrn": f"MRN-{40_000 + number * 7}",
                "age": pick.randint(29, 88),
                "sex": pick.choice(_SEX),
            },
            "encounter_date": day(days),
            "specialty": pick.choice(_SPECIALTIES),
            "clinician": pick.choice(_CLINICIANS),
            "text": text(number),
            "codes_proposed": codes,
            "model_score": model_score(number),
            "language": language,
        }
        yield document(COLLECTION, number, days, fields=fields, blobs=[], modality="text")


def conditions(number: int) -> list[Condition]:
    """Return what the patient of a note truly has."""
    pick = chance("conditions", number)
    return pick.sample(CONDITIONS, pick.randint(1, 3))


def is_long(number: int) -> bool:
    """Return whether the note is a summary of several thousand characters."""
    return number % 11 == 3


def model_score(number: int) -> float:
    """Return how well the model thinks its codes are supported."""
    return round(chance("model", number).uniform(0.35, 0.98), 3)


def proposed(number: int) -> list[Condition]:
    """Return the codes the model proposes: mostly what is there, at times one more or one less."""
    pick = chance("proposed", number)
    actual = conditions(number)
    if pick.random() < 0.25:
        others = [condition for condition in CONDITIONS if condition not in actual]
        return [*actual, pick.choice(others)]
    if len(actual) > 1 and pick.random() < 0.15:
        return actual[:-1]
    return actual


def text(number: int) -> str:
    """Return the body of a note."""
    pick = chance("text", number)
    actual = conditions(number)
    numbers = {
        "n": pick.randint(2, 9),
        "g": pick.randint(118, 206),
        "h": round(pick.uniform(6.8, 10.2), 1),
        "s": pick.randint(136, 168),
        "o": pick.randint(88, 94),
        "e": pick.randint(46, 58),
        "p": pick.randint(11, 19),
        "r": pick.randint(92, 138),
    }

    parts = ["SUBJECTIVE", *(condition.story.format(**numbers) for condition in actual)]
    if number % 9 == 4:
        language, message = MESSAGES[number % len(MESSAGES)]
        parts += [f"Message from the patient ({language}):", message]
    if is_long(number):
        parts += ["HOSPITAL COURSE", *_course(pick, actual)]
    parts += ["OBJECTIVE", *(condition.exam.format(**numbers) for condition in actual)]
    parts.append("ASSESSMENT AND PLAN")
    for position, condition in enumerate(actual, start=1):
        parts.append(f"{position}. {condition.name}. {condition.plan}")
    parts.append(
        f"Seen and discussed. Next visit in {pick.choice((2, 4, 6, 12))} weeks, earlier if worse.",
    )
    return "\n\n".join(parts)


def _course(pick: random.Random, actual: list[Condition]) -> Iterator[str]:
    for day_number in range(1, pick.randint(11, 18)):
        progress = pick.choice(_DAYS)
        vitals = (
            f"Temperature {pick.uniform(36.2, 38.1):.1f}, pulse "
            f"{pick.randint(64, 104)}, saturation {pick.randint(90, 98)}%."
        )
        topic = pick.choice(actual)
        yield f"Day {day_number}: The patient {progress}. {vitals} {topic.name}: {topic.plan}"


def finding(number: int) -> Finding:
    """Return the model's verdict on its own codes, with the evidence it quotes."""
    actual = conditions(number)
    codes = proposed(number)
    approved = [code for code in codes if code in actual]
    unsupported = [code for code in codes if code not in actual]

    label = "codes_partially_supported" if unsupported else "codes_supported"
    if model_score(number) < 0.5:
        label = "query_clinician"

    main = actual[0]
    quote = main.story.partition(";")[0].partition("{")[0].strip() or main.name
    sentences = [
        f"{len(approved)} of {len(codes)} proposed codes have evidence in the note,"
        f" the clearest in '{quote}...'."
    ]
    if unsupported:
        first = unsupported[0]
        sentences.append(f"{first.code} ({first.name}) is not mentioned in the assessment.")
        sentences.append("A clinician should confirm or remove it.")
    else:
        sentences.append("The plan treats each of them.")

    payload = {
        "codes_proposed": [code.code for code in codes],
        "codes_approved": [code.code for code in approved],
        "raf_impact": round(sum(code.weight for code in approved), 3),
    }
    return Finding(
        label=label,
        confidence=round(model_score(number) * 0.98, 2),
        reasoning=" ".join(sentences),
        payload=payload,
    )
