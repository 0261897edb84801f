#!/usr/bin/env python3
"""Builds the model catalogue: src/data/catalogue.bin and src/data/words.rs.

    python3 tools/catalogue.py litellm-VERSION-….whl --date YYYY-MM-DD

tools/README.md says where the wheel comes from; src/data/catalogue.rs describes the layout.
The same wheel and date always give the same bytes.
"""

import argparse
import json
import re
import struct
import sys
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

SOURCE = "litellm/model_prices_and_context_window_backup.json"
TARGET = Path(__file__).resolve().parent.parent / "src" / "data"

# Rates in the order of their bits; the second column is the source's key of the base tier.
RATES = [
    ("input", "input_cost_per_token"),
    ("output", "output_cost_per_token"),
    ("cache_read", "cache_read_input_token_cost"),
    ("cache_write", "cache_creation_input_token_cost"),
    ("reasoning", "output_cost_per_reasoning_token"),
    ("audio_input", "input_cost_per_audio_token"),
    ("audio_output", "output_cost_per_audio_token"),
]
THRESHOLD_BIT = 7
ABOVE_BIT = 8
IMAGES_BIT = 15
# What else models are charged by that make images, in the order of the bits of their own set.
IMAGES = ["image", "pixel", "image_input", "image_output"]
IMAGE_MODES = ("image_generation", "image_edit")
SIZED = re.compile(r"(?:^|/)(\d+)-x-(\d+)/")
ABOVE = re.compile(r"_above_(\d+)k_tokens$")
PICO = Decimal(10) ** 12


class Rounded:
    """Counts prices that are finer than one picodollar."""

    count = 0


def picodollars(value):
    exact = Decimal(value) * PICO
    whole = exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    if whole != exact:
        Rounded.count += 1
    if not 0 <= whole < 2**49:
        sys.exit(f"price {value} does not fit in seven bytes of seven bits")
    return int(whole)


def varint(number):
    """Little-endian groups of seven bits; the high bit says that more follow (LEB128)."""
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def rates_of(facts, suffix=""):
    """The rates whose keys end in `suffix`, by name."""
    found = {}
    for name, key in RATES:
        value = facts.get(key + suffix)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            found[name] = picodollars(value)
    return found


def price_of(facts):
    """(base rates, threshold in tokens or None, rates above it)."""
    tiers = facts.get("tiered_pricing")
    if isinstance(tiers, list) and tiers and all("range" in tier for tier in tiers):
        base = rates_of(facts) | rates_of(tiers[0])
        if len(tiers) < 2:
            return base, None, {}
        return base, int(tiers[1]["range"][0]), rates_of(tiers[1])
    thresholds = set()
    for _, key in RATES:
        for fact in facts:
            match = ABOVE.search(fact)
            if match and fact == key + match.group(0):
                thresholds.add(int(match.group(1)))
    if not thresholds:
        return rates_of(facts), None, {}
    first = min(thresholds)
    return rates_of(facts), first * 1000, rates_of(facts, f"_above_{first}k_tokens")


def images_of(name, facts):
    """What a model is charged by that makes images, by the names of IMAGES."""
    if facts.get("mode") not in IMAGE_MODES:
        return {}
    each = facts.get("output_cost_per_image") or facts.get("input_cost_per_image")
    pixel, sized = facts.get("input_cost_per_pixel"), SIZED.search(name)
    if not each and pixel and sized:
        each, pixel = pixel * int(sized[1]) * int(sized[2]), None
    dollars = {
        "image": each,
        "pixel": None if each else pixel,
        "image_input": facts.get("input_cost_per_image_token"),
        "image_output": facts.get("output_cost_per_image_token"),
    }
    return {key: picodollars(value) for key, value in dollars.items() if value}


def encode_price(base, threshold, above, images):
    mask, numbers = 0, []
    if "image_output" in images:
        # Where no price of other output is told, there is no other output.
        base = {"output": images["image_output"]} | base
    for bit, (name, _) in enumerate(RATES):
        if name in base:
            mask |= 1 << bit
            numbers.append(base[name])
    if threshold is not None:
        mask |= 1 << THRESHOLD_BIT
        numbers.append(threshold)
        for bit, (name, _) in enumerate(RATES):
            if name in above:
                mask |= 1 << (ABOVE_BIT + bit)
                numbers.append(above[name])
    if images:
        mask |= 1 << IMAGES_BIT
        numbers.append(sum(1 << bit for bit, key in enumerate(IMAGES) if key in images))
        numbers += [images[key] for key in IMAGES if key in images]
    return struct.pack("<H", mask) + b"".join(map(varint, numbers))


class Table:
    """Interned values in order of first use."""

    def __init__(self):
        self.positions = {}
        self.bytes = bytearray()

    def position(self, value):
        if value not in self.positions:
            self.positions[value] = len(self.bytes)
            self.bytes += value
        return self.positions[value]


def limit(value):
    return value if isinstance(value, int) and 0 < value < 2**32 else 0


def build(models, title):
    words = {
        "PROVIDERS": sorted({facts["litellm_provider"] for facts in models.values()}),
        "MODES": sorted({facts.get("mode") or "" for facts in models.values()}),
        "SUPPORTS": sorted({
            key.removeprefix("supports_")
            for facts in models.values()
            for key, value in facts.items()
            if key.startswith("supports_") and value is True
        }),
    }
    assert len(words["PROVIDERS"]) < 256 and len(words["MODES"]) < 256
    assert len(words["SUPPORTS"]) <= 64
    bits = {f"supports_{name}": 1 << bit for bit, name in enumerate(words["SUPPORTS"])}
    names, limits, flags, prices, records = bytearray(), Table(), Table(), Table(), bytearray()
    for name in sorted(models, key=str.encode):
        facts = models[name]
        pair = (limit(facts.get("max_input_tokens")), limit(facts.get("max_output_tokens")))
        flag_set = sum(bit for key, bit in bits.items() if facts.get(key) is True)
        price = encode_price(*price_of(facts), images_of(name, facts))
        spot = prices.position(price)
        records += len(names).to_bytes(3, "little") + spot.to_bytes(3, "little")
        records += struct.pack(
            "<HHBB",
            limits.position(struct.pack("<II", *pair)) // 8,
            flags.position(struct.pack("<Q", flag_set)) // 8,
            words["PROVIDERS"].index(facts["litellm_provider"]),
            words["MODES"].index(facts.get("mode") or ""),
        )
        names += name.encode()
    records += len(names).to_bytes(3, "little") + bytes(9)
    sections = [bytes(records), bytes(limits.bytes), bytes(flags.bytes), bytes(prices.bytes)]
    head = f"{title}\n".encode()
    head += struct.pack("<4I", *(len(section) for section in sections))
    return head + b"".join(sections) + bytes(names), words


def rust(words, title):
    lines = [
        "//! Words of the model catalogue, by their number in `catalogue.bin`.",
        "//!",
        f"//! Written by `tools/catalogue.py`. {title}.",
    ]
    docs = {
        "PROVIDERS": "Providers as the source spells them.",
        "MODES": "What a model is for.",
        "SUPPORTS": "Abilities; number N is bit N of a flag set.",
    }
    for name, values in words.items():
        lines += ["", f"/// {docs[name]}", "#[rustfmt::skip]"]
        lines += [f"pub(super) static {name}: [&str; {len(values)}] = ["]
        lines += [f"    {json.dumps(value)}," for value in values]
        lines += ["];"]
    return "\n".join(lines) + "\n"


def version_of(wheel):
    return wheel.name.split("-")[1]


def read(path):
    """The models of a wheel."""
    with zipfile.ZipFile(path) as wheel:
        models = json.loads(wheel.read(SOURCE), parse_float=Decimal)
    models.pop("sample_spec", None)  # describes the format
    return {name: facts for name, facts in models.items() if facts.get("litellm_provider")}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("wheel", type=Path)
    arguments.add_argument("--date", required=True, help="day of the download, YYYY-MM-DD")
    arguments.add_argument("--retired", type=Path, help="an older wheel, for models it alone has")
    options = arguments.parse_args()
    models, source = read(options.wheel), f"litellm {version_of(options.wheel)}"
    if options.retired:
        # Servers go on answering in the names of models that are listed no more.
        models = read(options.retired) | models
        source += f" and {version_of(options.retired)}"
    title = f"Bartizan model catalogue 1; from {source}, {options.date}; licence MIT"
    table, words = build(models, title)
    (TARGET / "catalogue.bin").write_bytes(table)
    (TARGET / "words.rs").write_text(rust(words, title))
    print(f"{len(models)} models, {len(table)} bytes, {Rounded.count} prices rounded")


if __name__ == "__main__":
    main()
