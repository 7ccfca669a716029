"""The interactive prompt of `boardlake sql`: many questions to one lake, with completion."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow.compute as pc
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from ..core.errors import BoardlakeError
from ..lake import ask, history
from . import output as out
from .answer import show
from .cells import visible

HELP = """\
A statement ends with ; and may take several lines. Tab completes, Ctrl-C stops a query.
  .tables        tables and views
  .schema NAME   the columns of one
  .help          this
  .quit          leave (or Ctrl-D)"""
_KEYWORDS = (
    "FROM SELECT WHERE GROUP BY ORDER LIMIT HAVING QUALIFY JOIN LEFT USING ON AS AND OR NOT IN"
    " BETWEEN LIKE ILIKE IS NULL CASE WHEN THEN ELSE END DISTINCT ASC DESC WITH UNION ALL OVER"
    " PARTITION FILTER DESCRIBE SUMMARIZE SHOW TABLES EXPLAIN PIVOT VALUES count sum avg min max"
    " median stddev_samp arg_min arg_max first last any_value isnan isfinite regexp_matches now"
).split()
_COMMANDS = (".tables", ".schema", ".help", ".quit")
_IN_TAG = re.compile(r"\btag\s*(?:=|<>|!=|in\s*\((?:\s*'[^']*'\s*,)*)\s*'((?:[^']|'')*)$", re.I)
_IN_TEXT = re.compile(r"^(?:[^']|'[^']*')*'[^']*$", re.DOTALL)
_WORD = re.compile(r"[\w.]*$")
_MAX_OFFERED = 500


class Names(Completer):
    """Completes tables, columns and keywords, and the tags of the lake behind `tag = '`."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    @cached_property
    def relations(self) -> dict[str, list[str]]:
        """The columns of each table and view."""
        found: dict[str, list[str]] = {}
        table = ask.relations(self._con)
        for relation, column in zip(table["relation"], table["column"], strict=True):
            found.setdefault(relation.as_py(), []).append(column.as_py())
        return found

    @cached_property
    def tags(self) -> list[str]:
        """All tags, the commonest first."""
        tags: list[str] = history.tags(self._con).column("tag").to_pylist()
        return list(dict.fromkeys(tags))

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        """What may stand at the cursor; nothing while the lake cannot be read."""
        try:
            yield from self._completions(document.text_before_cursor)
        except BoardlakeError:
            return

    def _completions(self, before: str) -> Iterable[Completion]:
        in_tag = _IN_TAG.search(before)
        if in_tag:
            return self._offer(in_tag[1], (tag.replace("'", "''") for tag in self.tags), "'")
        if _IN_TEXT.match(before):
            return ()
        if before.lstrip().startswith("."):
            return self._dotted(before.lstrip())
        word = _WORD.search(before)
        return self._words(word[0] if word else "", before)

    def _dotted(self, text: str) -> Iterable[Completion]:
        command, space, rest = text.partition(" ")
        if space:
            return self._offer(rest.strip(), self.relations) if command == ".schema" else ()
        return self._offer(command, _COMMANDS)

    def _words(self, word: str, text: str) -> Iterator[Completion]:
        mentioned = set(re.findall(r"\w+", text))
        relations = [name for name in self.relations if name in mentioned] or list(self.relations)
        columns = dict.fromkeys(c for name in relations for c in self.relations[name])
        yield from self._offer(word.rpartition(".")[2], columns)
        if "." not in word:
            yield from self._offer(word, self.relations)
            yield from self._offer(word, _KEYWORDS)

    def _offer(self, begun: str, names: Iterable[str], close: str = "") -> Iterator[Completion]:
        offered = 0
        for name in names:
            if name.lower().startswith(begun.lower()) and offered < _MAX_OFFERED:
                offered += 1
                yield Completion(name + close, -len(begun), display=visible(name))


def run(
    con: duckdb.DuckDBPyConnection,
    to: out.Target,
    say: Callable[[str], None],
    session: PromptSession[str] | None = None,
) -> None:
    """Answer statements until the user leaves; errors and Ctrl-C end a statement, not the prompt."""
    names = Names(con)
    say(".help explains, .quit leaves.")
    session = session or PromptSession(history=past())
    while True:
        try:
            text = session.prompt(
                "lake> ",
                completer=names,
                complete_while_typing=False,
                lexer=PygmentsLexer(SqlLexer),
                multiline=Condition(_is_open),
                prompt_continuation="  ... ",
            ).strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if text.rstrip(";").strip() in (".quit", ".exit", "quit", "exit"):
            return
        if text:
            _answer(con, names, text, to, say)


def _is_open() -> bool:
    """Whether Enter begins a new line: a statement goes on until its semicolon."""
    text = get_app().current_buffer.text.strip()
    return bool(text) and not text.endswith(";") and text[0] != "." and text not in ("quit", "exit")


def _answer(
    con: duckdb.DuckDBPyConnection,
    names: Names,
    text: str,
    to: out.Target,
    say: Callable[[str], None],
) -> None:
    try:
        if text.startswith("."):
            _dot(con, names, text.rstrip(";").split(), to, say)
            return
        for statement in ask.statements(con, text):
            begin = time.monotonic()
            said = show(con, statement, to)
            for line in said[:1]:
                say(f"{line} ({time.monotonic() - begin:.2f} s)")
            for line in said[1:]:
                say(line)
    except KeyboardInterrupt:
        say("stopped")
    except BoardlakeError as error:
        say(str(error))


def _dot(
    con: duckdb.DuckDBPyConnection,
    names: Names,
    words: list[str],
    to: out.Target,
    say: Callable[[str], None],
) -> None:
    if words == [".tables"]:
        kinds = ask.relations(con).group_by(["relation", "kind"], use_threads=False).aggregate([])
        out.write(kinds.schema, kinds.to_batches(), to)
    elif words[0] == ".schema" and len(words) == 2 and words[1] in names.relations:
        found = ask.relations(con).filter(pc.field("relation") == words[1])
        columns = found.select(["column", "type"])
        out.write(columns.schema, columns.to_batches(), to)
    elif words[0] == ".schema":
        say(f".schema NAME, of: {', '.join(names.relations)}")
    else:
        say(HELP if words == [".help"] else f"{visible(words[0])} is unknown\n{HELP}")


def past() -> History:
    """What was typed before, kept for this user alone; only for this session where it cannot be."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = Path(home) / "boardlake" / "sql_history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        os.close(os.open(path, os.O_RDWR))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
