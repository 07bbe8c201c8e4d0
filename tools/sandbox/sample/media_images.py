"""Draws the brand pictures with Pillow; run by developers through media_make.py, never at run time."""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont

from tools.sandbox.sample.scenes import SCENES, Scene, scene

WIDTH = 640
HEIGHT = 480
Colour = tuple[int, int, int]


def draw_images(folder: Path) -> None:
    """Write one WebP for each scene."""
    for number in range(SCENES):
        what = scene(number)
        picture(what).save(folder / what.file_name, "WEBP", quality=72, method=6)


def picture(what: Scene) -> Image.Image:
    """Return the picture of a scene."""
    chance = random.Random(f"picture {what.number}")  # noqa: S311 - drawings must come out the same each time
    draw = {"shop front": _shop_front, "product shot": _product, "poster": _poster}[what.kind]
    image = draw(what, chance)
    if what.truth == "counterfeit":
        image = ImageChops.offset(image, 3, 0).filter(ImageFilter.GaussianBlur(0.8))
    if what.truth == "unclear":
        blurred = image.filter(ImageFilter.GaussianBlur(4))
        image = blurred.rotate(chance.uniform(-6, 6), fillcolor=rgb(what.dark))
    return image


def rgb(colour: str) -> Colour:
    """Return a hex colour as numbers."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def mix(start: Colour, end: Colour, share: float) -> Colour:
    """Return the colour at `share` (0 to 1) of the way from `start` to `end`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
    return red, green, blue


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    """Return a vertical gradient."""
    column = Image.new("RGB", (1, size[1]))
    for y in range(size[1]):
        column.putpixel((0, y), mix(top, bottom, y / size[1]))
    return column.resize(size)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own scalable font."""
    return ImageFont.load_default(size)


def emblem(
    draw: ImageDraw.ImageDraw,
    sign: str,
    centre: tuple[float, float],
    size: float,
    ink: Colour,
) -> None:
    """Draw a firm's sign around `centre`."""
    x, y = centre
    r = size / 2
    box = (x - r, y - r, x + r, y + r)
    if sign in {"ring", "wheel", "disc"}:
        draw.ellipse(box, outline=ink, width=max(2, int(size / 9)))
        inner = r * (0.35 if sign == "disc" else 0.12)
        draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=ink)
    if sign == "wheel":
        for angle in range(0, 180, 45):
            dx = r * math.cos(math.radians(angle))
            dy = r * math.sin(math.radians(angle))
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=max(2, int(size / 20)))
    spikes = {"triangle": (3, 1.0), "star": (5, 0.42), "sun": (12, 0.7), "leaf": (4, 0.55)}
    if sign in spikes:
        count, inner_share = spikes[sign]
        draw.polygon(_spikes(x, y, r, count, inner_share), fill=ink)
    if sign == "drop":
        draw.polygon([(x, y - r), (x + r * 0.7, y + r * 0.3), (x - r * 0.7, y + r * 0.3)], fill=ink)
        draw.ellipse((x - r * 0.72, y - r * 0.35, x + r * 0.72, y + r), fill=ink)
    if sign == "wave":
        for row in (-0.4, 0.1, 0.6):
            curve = [
                (x - r + r * t / 10, y + r * row + math.sin(t / 3) * r * 0.22) for t in range(21)
            ]
            draw.line(curve, fill=ink, width=max(3, int(size / 9)), joint="curve")


def _spikes(x: float, y: float, r: float, count: int, inner: float) -> list[tuple[float, float]]:
    if count == 3:
        inner = 0.5
    points = []
    for step in range(count * 2):
        reach = r
        if step % 2:
            reach = r * inner
        angle = math.pi * step / count - math.pi / 2
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return points


def _shadow(image: Image.Image, box: tuple[int, int, int, int], blur: int = 14) -> None:
    shade = Image.new("L", image.size, 0)
    ImageDraw.Draw(shade).rounded_rectangle(box, 16, fill=120)
    image.paste((10, 12, 20), mask=shade.filter(ImageFilter.GaussianBlur(blur)))


def _centred(
    draw: ImageDraw.ImageDraw,
    centre: tuple[float, float],
    text: str,
    size: int,
    ink: Colour,
) -> None:
    draw.text(centre, text, font=font(size), fill=ink, anchor="mm")


def _shop_front(what: Scene, chance: random.Random) -> Image.Image:
    dark = rgb(what.dark)
    light = rgb(what.light)
    dusk = chance.choice(
        [
            ((255, 214, 170), (116, 132, 178)),
            ((188, 219, 245), (242, 236, 220)),
            ((38, 43, 78), (120, 88, 130)),
        ]
    )
    image = gradient((WIDTH, HEIGHT), *dusk)
    draw = ImageDraw.Draw(image)
    wall = chance.choice([(196, 178, 160), (160, 100, 82), (206, 206, 200), (120, 128, 140)])
    draw.rectangle((40, 60, 600, 420), fill=wall)
    for y in range(60, 420, 15):
        draw.line((40, y, 600, y), fill=mix(wall, (0, 0, 0), 0.1))
        for x in range(40 + (y // 15 % 2) * 18, 600, 36):
            draw.line((x, y, x, y + 15), fill=mix(wall, (0, 0, 0), 0.1))
    _shadow(image, (66, 102, 580, 186), 8)
    image.paste(gradient((508, 74), mix(dark, (255, 255, 255), 0.12), dark), (66, 98))
    draw = ImageDraw.Draw(image)
    emblem(draw, what.sign, (118, 135), 46, light)
    _centred(draw, (340, 135), (what.shown or "TO LET").upper(), 42, light)
    for stripe in range(16):
        left = 66 + stripe * 32
        colour = light if stripe % 2 else dark
        draw.polygon(
            [(left, 172), (left + 32, 172), (left + 28, 208), (left - 4, 208)],
            fill=colour,
        )
        draw.ellipse((left - 4, 200, left + 28, 216), fill=colour)
    for left in (80, 400):
        image.paste(gradient((164, 180), (255, 236, 190), (176, 140, 96)), (left, 224))
        draw = ImageDraw.Draw(image)
        for _item in range(7):
            x = left + chance.randint(8, 136)
            height = chance.randint(24, 70)
            box = (x, 402 - height, x + chance.randint(12, 30), 402)
            draw.rounded_rectangle(box, 5, fill=mix(dark, light, chance.random()))
        draw.rectangle((left, 224, left + 164, 404), outline=mix(dark, (0, 0, 0), 0.3), width=6)
        draw.polygon(
            [(left + 10, 230), (left + 60, 230), (left + 20, 398), (left + 8, 398)],
            fill=(255, 246, 220),
        )
    draw.rounded_rectangle((266, 224, 378, 420), 6, fill=mix(dark, (0, 0, 0), 0.35))
    draw.rectangle((280, 240, 364, 340), fill=mix(light, (255, 255, 255), 0.4))
    _centred(draw, (322, 290), chance.choice(["OPEN", "SALE", "-20%", "NEW"]), 24, dark)
    draw.rectangle((0, 420, WIDTH, HEIGHT), fill=(108, 108, 112))
    for x in range(-20, WIDTH, 80):
        draw.line((x, 420, x - 40, HEIGHT), fill=(92, 92, 96), width=2)
    return image


def _product(what: Scene, chance: random.Random) -> Image.Image:
    dark = rgb(what.dark)
    light = rgb(what.light)
    image = gradient(
        (WIDTH, HEIGHT),
        mix(light, (255, 255, 255), 0.55),
        mix(light, (120, 120, 130), 0.35),
    )
    draw = ImageDraw.Draw(image)
    draw.ellipse((110, 372, 540, 446), fill=mix(light, (60, 60, 70), 0.45))
    image = image.filter(ImageFilter.GaussianBlur(9))
    shape = chance.choice(["bottle", "box", "bag"])
    boxes = {
        "bottle": (236, 120, 404, 410),
        "box": (180, 130, 460, 406),
        "bag": (200, 150, 440, 410),
    }
    left, top, right, bottom = boxes[shape]
    _shadow(image, (left + 14, top + 20, right + 18, bottom + 8))
    body = gradient((right - left, bottom - top), mix(dark, (255, 255, 255), 0.28), dark)
    mask = Image.new("L", body.size, 0)
    corner = {"bottle": 46, "box": 10, "bag": 22}[shape]
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, body.width - 1, body.height - 1),
        corner,
        fill=255,
    )
    image.paste(body, (left, top), mask)
    draw = ImageDraw.Draw(image)
    if shape == "bottle":
        draw.rounded_rectangle((290, 62, 350, 128), 8, fill=mix(dark, (0, 0, 0), 0.35))
    if shape == "bag":
        draw.arc((256, 90, 384, 220), 180, 360, fill=mix(dark, (0, 0, 0), 0.2), width=10)
    if shape == "box":
        draw.polygon(
            [(460, 130), (506, 104), (506, 374), (460, 406)],
            fill=mix(dark, (0, 0, 0), 0.35),
        )
        draw.polygon(
            [(180, 130), (226, 104), (506, 104), (460, 130)],
            fill=mix(dark, (255, 255, 255), 0.38),
        )
    draw.rounded_rectangle((left + 16, 228, right - 16, 350), 10, fill=light)
    emblem(draw, what.sign, (320, 262), 50, dark)
    name_size = 25 if shape == "bottle" else 34
    _centred(draw, (320, 312), what.shown or what.goods, name_size, dark)
    _centred(draw, (320, 338), what.goods, 13, mix(dark, light, 0.25))
    draw.line(
        (left + 12, top + 40, left + 12, bottom - 40),
        fill=mix(dark, (255, 255, 255), 0.5),
        width=5,
    )
    _centred(draw, (560, 446), f"SKU {chance.randint(10000, 99999)}", 15, mix(dark, light, 0.3))
    return image


def _poster(what: Scene, chance: random.Random) -> Image.Image:
    dark = rgb(what.dark)
    light = rgb(what.light)
    image = gradient((WIDTH, HEIGHT), (222, 222, 220), (176, 178, 182))
    _shadow(image, (168, 26, 484, 470), 10)
    paper = gradient((312, 440), mix(light, (255, 255, 255), 0.35), mix(light, dark, 0.35))
    draw = ImageDraw.Draw(paper)
    for _blob in range(9):
        x = chance.randint(-30, 300)
        y = chance.randint(120, 420)
        r = chance.randint(20, 90)
        draw.ellipse(
            (x - r, y - r, x + r, y + r),
            fill=mix(light, dark, chance.uniform(0.15, 0.75)),
        )
    paper = paper.filter(ImageFilter.GaussianBlur(1.2))
    draw = ImageDraw.Draw(paper)
    emblem(draw, what.sign, (156, 216), 150, dark)
    name = what.shown or "your ad here"
    name_size = 40 if len(what.shown) < 9 else 34
    _centred(draw, (156, 54), name.upper(), name_size, dark)
    _centred(draw, (156, 88), what.goods, 18, mix(dark, (0, 0, 0), 0.2))
    draw.rectangle((0, 356, 312, 440), fill=dark)
    line = chance.choice(
        [
            "Made for long days",
            "Now in your city",
            "Less, but better",
            "Since 1987",
            "Only this week",
        ]
    )
    _centred(draw, (156, 386), line, 24, light)
    price = f"{chance.randint(9, 199)}.{chance.choice(['00', '50', '90'])} EUR"
    _centred(draw, (156, 416), price, 18, light)
    image.paste(paper, (164, 20))
    draw = ImageDraw.Draw(image)
    draw.rectangle((164, 20, 476, 460), outline=(245, 245, 245), width=4)
    for x in (60, 580):
        draw.rectangle((x - 8, 0, x + 8, HEIGHT), fill=(150, 152, 156))
    return image
