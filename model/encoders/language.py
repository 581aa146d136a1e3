"""Whether texts are English, told by their letters and their commonest words: a cheap sign, no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import regex

Fit = Literal["english", "mixed", "other"]

MOST_CHARACTERS = 500  # of a text
FEWEST = 20  # words or letters: shares of fewer are taken of so many

# In running text these make up a quarter and more of all words, in a list of products none.
_COMMON_ENGLISH: Final = """
the of and to in is you that it he was for on are as with his they i at be this have from or had by but what
all were we when your can said there an each which she do how their if will my not would been
"""
# The commonest words of languages in Latin letters.
_COMMON_ELSEWHERE: Final = """
le la les des une du est que qui dans pour pas sur avec au aux sont il ils elle nous vous je et en un ce
el los las del por para con una es se su lo como más pero este esta y o al fue muy ya
os da dos das não uma com foi mais na pelo pela são também seu sua isso você eu
gli di che non della nel sono ha questo alla più dei delle si anche ma mi
els amb és però va și din pentru care mai cu sunt lui sau
der das und ist nicht ein eine den dem mit auf für von zu sich auch es wird ich wir sie bei nach wie
het een niet dat zijn voor met op ook naar maar wordt deze ik je
och att det som på är av inte till jag han ett har om og ikke er
nie się jest że na z w jak tak ale przez są już od który že jsem také az egy hogy nem ez
ja ei että oli hän mutta ve bir bu için ile çok daha olarak olan gibi değil
yang dan dengan untuk dari tidak ini itu pada dalam adalah akan saya bisa ke
và của là có không được cho trong những một các người tôi này
ang ng sa mga ay hindi ko ito wa kwa ni katika kuwa hii huo cha vya za lakini kama
ta ba cikin wanda shi wannan sun kuma don ne ń ní ti tí àwọn wọn fún
"""
_ENGLISH: Final = frozenset(_COMMON_ENGLISH.split())
_ELSEWHERE: Final = frozenset(word for word in _COMMON_ELSEWHERE.split() if len(word) > 1) - _ENGLISH

_WORD = regex.compile(r"[\p{L}\p{M}]+")


@dataclass(frozen=True, slots=True)
class Language:
    """Shares of words (commonest English ones, commonest ones of other languages) and of letters, 0 to 1.

    `not_english` letters are all but a to z. `unknown` is the share of pieces that the encoder does not know;
    0 where it cannot tell.
    """

    english: float
    foreign: float
    not_english: float
    unknown: float

    @property
    def fit(self) -> Fit:
        """Whether an encoder for English fits: "other" only where the sign is clear."""
        if self.not_english >= 0.5 or (self.not_english >= 0.07 and self.english < 0.05):
            return "other"
        if self.unknown >= 0.1 and self.english < 0.1:
            return "other"
        if self.foreign >= 0.1 and self.foreign > 2 * self.english:
            return "other"
        if max(self.not_english, self.foreign, self.unknown) >= 0.05:
            return "mixed"
        return "english"


def read_language(texts: Sequence[str], *, unknown: float = 0.0) -> Language:
    """The language of a sample of texts, all together; hardly any words tell nothing."""
    words = [word for text in texts for word in _WORD.findall(text[:MOST_CHARACTERS].lower())]
    letters = "".join(words)
    return Language(
        english=_share(word in _ENGLISH for word in words),
        foreign=_share(word in _ELSEWHERE for word in words),
        not_english=_share(not "a" <= letter <= "z" for letter in letters),
        unknown=unknown,
    )


def _share(found: Iterable[bool]) -> float:
    counted = [*found]
    return sum(counted) / max(FEWEST, len(counted))
