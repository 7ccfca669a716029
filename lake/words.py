"""A search for plain words: every word must occur in something that is written about a run."""

from __future__ import annotations

import re

from ..core.errors import FilterError
from .fields import Scope
from .grammar import KEYWORDS

MAX_WORDS = 20

_KEYWORD_TEXTS = {kind.name.lower() for kind in KEYWORDS}
_PHRASE = re.compile(r""""((?:[^"]|"")+)"|'((?:[^']|'')+)'|([\w./:*-]+)""")


def split(text: str) -> tuple[str, ...] | None:
    """The words of a plain search such as `resnet "two words"`; None if *text* is an expression."""
    found: list[str] = []
    end = 0
    for match in _PHRASE.finditer(text):
        word = match[3] or ""
        if text[end : match.start()].strip() or (found and match.start() == end):
            return None
        if word.lower() in _KEYWORD_TEXTS or word.lower().startswith("hp."):
            return None
        if word and not any(character.isalnum() for character in word):
            return None
        phrase = (match[1] or "").replace('""', '"') or (match[2] or "").replace("''", "'")
        found.append(phrase or word)
        end = match.end()
    return tuple(found) if found and not text[end:].strip() else None


def search(words: tuple[str, ...], scope: Scope) -> str:
    """A boolean SQL expression: each word is in a name, a tag or a hyperparameter of the run,
    or in what people wrote about it.

    Case does not matter; `*` stands for any characters.
    """
    if len(words) > MAX_WORDS:
        message = f"{len(words)} words are too many: at most {MAX_WORDS} are searched for"
        raise FilterError(message, text=" ".join(words), position=0)
    return " AND ".join(_search(word, scope) for word in words)


def _search(word: str, scope: Scope) -> str:
    places = [
        _has("concat_ws(chr(10), r.name, r.path, r.project, r.machine)", word, scope),
        f"r.run_id IN (SELECT run_id FROM series_parts WHERE {_has('tag', word, scope)})",
        "r.run_id IN (SELECT run_id FROM hparams"
        f" WHERE {_has('name', word, scope)} OR {_has('value', word, scope)})",
    ]
    if scope.tags:
        places.append(f"r.run_id IN ({scope.tagged(_has('tag', word, scope))})")
    if scope.notes:
        written = _has("concat_ws(chr(10), name, notes)", word, scope)
        places.append(f"r.run_id IN ({scope.noted(written)})")
    return f"({' OR '.join(places)})"


def _has(column: str, word: str, scope: Scope) -> str:
    if "*" not in word:
        return f"contains(lower({column}), lower({scope.bind(word)}))"
    pattern = "(?is)" + ".*".join(re.escape(part) for part in word.split("*"))
    return f"regexp_matches({column}, {scope.bind(pattern)})"
