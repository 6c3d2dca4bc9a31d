"""The rows of large data that are read if a limit is set: blocks, spread evenly over each split."""

from __future__ import annotations

from dataclasses import dataclass, replace

# minimum number of rows of a part, so that small limits draw from the same rows
_FEWEST = 1024
# rows read for each example of the limit, as examples are drawn by class
_MARGIN = 4
_GROWTH = 4


@dataclass(frozen=True)
class Part:
    """A part of the rows of every split.

    Attributes:
        rows: Number of rows.
        blocks: Number of blocks of consecutive rows. Data are often sorted by class, so the first rows alone
            would be of one class.
    """

    rows: int
    blocks: int = 16

    @classmethod
    def of_limit(cls, limit: int) -> Part:
        """Return a part from which `limit` examples can be drawn by class.

        Its size is a power of two, at least four rows for every example and 1,024 rows.
        """
        return cls(1 << (max(_FEWEST, _MARGIN * limit) - 1).bit_length())

    def larger(self) -> Part:
        """Return a part with four times as many rows, in four times as many blocks."""
        return replace(self, rows=self.rows * _GROWTH, blocks=self.blocks * _GROWTH)

    def spans(self, n: int) -> list[range]:
        """Return the rows to read of a split of n rows, as ranges in ascending order.

        Block i of k starts at row i * (n - size) // (k - 1), so that the first block starts with the first
        row, and the last block ends with the last row.
        """
        if self.rows >= n:
            return [range(n)]
        size = self.rows // self.blocks
        return [
            range(start, start + size)
            for start in (block * (n - size) // (self.blocks - 1) for block in range(self.blocks))
        ]
