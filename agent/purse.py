"""What a model may use in one run of the program, and what it has used."""

import threading
from typing import Final

from agent.domain import Usage
from agent.errors import LimitReached
from agent.settings import Settings

LETTERS_A_TOKEN: Final = 4  # only where the endpoint does not count


class Purse:
    """What may be used and what has been, in tokens and in money. Safe to share."""

    def __init__(self, settings: Settings) -> None:
        self._tokens, self._spend = settings.model_tokens, settings.model_spend
        self._prices = (settings.model_price_in or 0, settings.model_price_out or 0)
        self._used = [0, 0]
        self._lock = threading.Lock()

    @property
    def cost(self) -> float:
        """The money used; 0 where no price is set."""
        used = zip(self._used, self._prices, strict=True)
        return sum(tokens * price for tokens, price in used) / 1_000_000

    def check(self) -> None:
        """Raise LimitReached when the tokens or the money are used."""
        used = sum(self._used)
        if self._tokens is not None and used >= self._tokens:
            raise LimitReached(
                f"The limit of {self._tokens:,} tokens is reached ({used:,} used). Nothing was "
                "stored. Raise REHEARSAL_MODEL_TOKENS, or start again to go on."
            )
        if self._spend is not None and self.cost >= self._spend:
            raise LimitReached(
                f"The limit of {self._spend:g} is reached ({self.cost:.4f} spent). Nothing was "
                "stored. Raise REHEARSAL_MODEL_SPEND, or start again to go on."
            )

    def add(self, usage: Usage, letters_in: int, letters_out: int) -> None:
        """Count an answer; where the endpoint does not say, by its letters."""
        counted = (usage.tokens_in, usage.tokens_out)
        letters = (letters_in, letters_out)
        with self._lock:
            for n, (tokens, length) in enumerate(zip(counted, letters, strict=True)):
                self._used[n] += length // LETTERS_A_TOKEN if tokens is None else tokens
