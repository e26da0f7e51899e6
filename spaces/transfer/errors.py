"""What can be wrong with a file and with one record in it. Only the command line reads them, in English."""

from dataclasses import dataclass


class FileRefused(Exception):
    """Nothing of the file can be read; the message says why, in one sentence."""


class RecordBroken(Exception):
    """One record cannot be used: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class Problem:
    """A record that was left out; `where` names it by its place in the file and its id."""

    where: str
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.field}: {self.reason}"


@dataclass(frozen=True)
class Note:
    """Something that an operator should look at; the record was taken in all the same."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"
