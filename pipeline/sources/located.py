"""A source whose electrodes stand where a location file says."""

from collections.abc import Mapping
from dataclasses import replace

from engines.errors import InputError
from pipeline.montage import Position, canonical
from pipeline.sources.base import Source, WrappedSource
from pipeline.types import Channel, Kind, StreamInfo


class LocatedSource(WrappedSource):
    """Declares `locations` (head frame, metres, by channel label or 10-05 name) as the positions of the EEG channels.

    Thread: as every source, one thread only.
    """

    def __init__(self, source: Source, locations: Mapping[str, Position]) -> None:
        super().__init__(source)
        self._locations = {name.upper(): place for name, place in locations.items()}

    def open(self) -> None:
        """Open the inner source and find every EEG channel in the locations.

        Raises:
            InputError: some have none: measured places and those of a template are not mixed.
        """
        self._source.open()
        missing = [c.name for c in self._source.info.channels if c.kind is Kind.EEG and self._place(c) is None]
        if missing:
            self._source.close()
            raise InputError(
                f"the location file has no place for {', '.join(missing)}; it names "
                f"{', '.join(sorted(self._locations))}: complete it, or leave it out and use template positions"
            )

    @property
    def info(self) -> StreamInfo:
        """The inner source's stream with these positions."""
        info = self._source.info
        return replace(info, channels=tuple(self._located(c) for c in info.channels))

    def _located(self, channel: Channel) -> Channel:
        return replace(channel, position_m=self._place(channel)) if channel.kind is Kind.EEG else channel

    def _place(self, channel: Channel) -> Position | None:
        named = self._locations.get(channel.name.upper())
        standard = canonical(channel.name)
        return named or (self._locations.get(standard.upper()) if standard else None)
