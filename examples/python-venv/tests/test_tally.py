import unittest

from tally import tally


class Tally(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(tally("One fish, two fish"), [("fish", 2), ("one", 1), ("two", 1)])

    def test_nothing(self):
        self.assertEqual(tally(" .,"), [])

    def test_apostrophe(self):
        self.assertEqual(tally("don't"), [("don't", 1)])


if __name__ == "__main__":
    unittest.main()
