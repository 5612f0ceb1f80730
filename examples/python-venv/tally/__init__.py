"""How often each word is in a text."""
from collections import Counter

from wordsplit import words


def tally(text):
    """The words of text and their numbers, the most frequent first."""
    return sorted(Counter(words(text)).items(), key=lambda item: (-item[1], item[0]))
