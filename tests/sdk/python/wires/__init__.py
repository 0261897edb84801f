"""Providers in their own words: what each is asked, and how it answers.

A wire answers whole (`whole`) or as a stream (`stream`) with a text, a thought and calls of tools,
and finds in a request that reached it what a test looks for.
"""

from .chat import INPUT, OUTPUT, SIGNED, Compatible, OpenAi
from .claude import Anthropic, Renamed
from .google import GOOGLES, Gemini
from .others import Cohere, Ollama

__all__ = [
    "GOOGLES",
    "INPUT",
    "OUTPUT",
    "SIGNED",
    "Anthropic",
    "Cohere",
    "Compatible",
    "Gemini",
    "Ollama",
    "OpenAi",
    "Renamed",
    "named",
]


def named(wire):
    return type(wire).__name__.lower()
