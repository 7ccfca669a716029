"""The tables of the state database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION = 1


class Base(DeclarativeBase):
    """The root of the tables."""


class Meta(Base):
    """One row: the schema's version, and a number that grows with every change."""

    __tablename__ = "meta"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    changes: Mapped[int]


class Annotation(Base):
    """What people wrote about a run."""

    __tablename__ = "annotations"
    run_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    notes: Mapped[str] = mapped_column(Text, default="")
    colour: Mapped[str] = mapped_column(String(7), default="")
    archived: Mapped[bool] = mapped_column(default=False)


class RunTag(Base):
    """A tag that people gave a run."""

    __tablename__ = "run_tags"
    run_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)


class SavedView(Base):
    """The state of a page under a short id, which is a hash of it."""

    __tablename__ = "views"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    page: Mapped[str] = mapped_column(String(32))
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
