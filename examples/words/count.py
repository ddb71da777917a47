#!/usr/bin/python3
"""Counts the words of the file `text`, and writes them to the file that it is told, as JSON."""

import collections
import json
import re
import sys

with open("text", encoding="utf-8") as text:
    words = re.findall(r"[a-z]+", text.read().lower())
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump(collections.Counter(words), out)
print(len(words), "words")
