"""How unlike other pictures a picture is, by statistics of its pixels: what garbled ones are told by."""

from __future__ import annotations

from typing import Final

import numpy as np

from model.encoders.looks import STATISTICS
from model.records import Floats
from model.synthetic.pictures import Pictures

_USUAL = (25.0, 75.0)  # percentiles between which the middle half lies
_NORMAL: Final = 1.349  # how many deviations of a normal distribution these are apart
_LEAST_SPREAD = 1e-2  # below which a statistic hardly varies
_ODD = 2.0  # deviations from which a statistic is named


class Oddness:
    """How many deviations each statistic of a picture is away from the usual, of n items.

    Away from the real ones and from the synthetic ones, whichever is nearer: what a whole generator draws in
    its own manner is not garbled.
    """

    def __init__(self, pictures: Pictures, *, real: int, background: Floats) -> None:
        """Take n items' pictures, the first `real` of real ones, and statistics (u, f) of more real ones."""
        known = np.concatenate([pictures.statistics[:real], background])
        self._sides = [_middle_and_spread(known)]
        if len(pictures) > real:
            self._sides.append(_middle_and_spread(pictures.statistics[real:]))
        self._deviations = self._deviate(pictures.statistics)
        columns, spoiled = _columns(self._deviations), _columns(self._deviate(pictures.spoiled))
        # Nothing can be learned of what is the same of all real pictures, spoiled ones among them.
        varies = np.concatenate([columns[:real], spoiled[:real]]).std(axis=0) > _LEAST_SPREAD
        self.shares = columns * varies  # (n, f + 1)
        self.spoiled_shares = spoiled * varies  # (n, f + 1)

    def words(self, row: int) -> str:
        """What is oddest about an item's pictures, as it follows "it is"; empty where nothing is."""
        deviations = self._deviations[row]
        oddest = int(np.abs(deviations).argmax())
        less, more = STATISTICS[oddest]
        if abs(deviations[oddest]) < _ODD:
            return ""
        return more if deviations[oddest] > 0 else less

    def _deviate(self, statistics: Floats) -> Floats:
        """Signed deviations (n, f); 0 of what shows no picture."""
        found = np.stack([(statistics - middle) / spread for middle, spread in self._sides])
        nearest = np.abs(np.nan_to_num(found)).argmin(axis=0)
        deviations: Floats = np.nan_to_num(np.take_along_axis(found, nearest[None], axis=0)[0])
        return deviations


def _middle_and_spread(statistics: Floats) -> tuple[Floats, Floats]:
    """Median (f,) and spread (f,) of those that are numbers; of none of them nothing is odd."""
    there = statistics[np.isfinite(statistics).all(axis=1)]
    if not len(there):
        width = statistics.shape[1]
        return np.zeros(width, dtype=np.float32), np.full(width, np.inf, dtype=np.float32)
    low, high = np.percentile(there, _USUAL, axis=0)
    floor = _LEAST_SPREAD * (1.0 + np.abs(np.median(there, axis=0)))
    spread = np.maximum((high - low) / _NORMAL, np.maximum(floor, 0.25 * there.std(axis=0)))
    return np.median(there, axis=0).astype(np.float32), spread.astype(np.float32)


def _columns(deviations: Floats) -> Floats:
    """log(1 + deviations) of each statistic and of their root mean square, (n, f + 1)."""
    size = np.sqrt((deviations**2).mean(axis=1, keepdims=True))
    columns: Floats = np.log1p(np.concatenate([np.abs(deviations), size], axis=1)).astype(np.float32)
    return columns
