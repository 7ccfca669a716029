"""The custom scalars plugin, with the patterns of layouts matched so that none holds up the server."""

from __future__ import annotations

from typing import Any

from tensorboard.data import provider as tb
from tensorboard.plugins.custom_scalar import custom_scalars_plugin

from . import patterns
from .provider import LEAST, POINTS_A_CARD

# A chart of more lines than that shows none of them.
_MOST_TAGS = 1_000


class CustomScalars(custom_scalars_plugin.CustomScalarsPlugin):  # type: ignore[misc]
    """TensorBoard's own, but for how it finds tags."""

    def scalars_impl(self, ctx: Any, run: str, tag_regex_string: str, experiment: str) -> Any:
        """The points of the tags of *run* that match a pattern; shape as TensorBoard's."""
        listed = self._data_provider.list_scalars(
            ctx, experiment_id=experiment, plugin_name="scalars",
            run_tag_filter=tb.RunTagFilter(runs=[run or ""]),
        )  # fmt: skip
        tags = list(listed.get(run, ()))
        try:
            found = patterns.matching(tag_regex_string or "", tags, start=True)
        except patterns.BadPattern:
            found = None
        if not tag_regex_string or found is None:
            return {"regex_valid": False, "tag_to_events": {}}
        wanted = [tag for tag, fits in zip(tags, found, strict=True) if fits][:_MOST_TAGS]
        most = min(
            self._get_scalars_plugin()._downsample_to,
            max(LEAST, POINTS_A_CARD // max(len(wanted), 1)),
        )
        read = self._data_provider.read_scalars(
            ctx, experiment_id=experiment, plugin_name="scalars",
            downsample=most,
            run_tag_filter=tb.RunTagFilter(runs=[run], tags=wanted),
        ) if wanted else {}  # fmt: skip
        points = read.get(run, {})
        payload = {
            tag: [(one.wall_time, one.step, one.value) for one in points.get(tag, ())]
            for tag in wanted
        }
        return {"regex_valid": True, "tag_to_events": payload}
