"""Accepted names of taxa: checklists compiled to one file, and names looked up in it.

``checklists`` read what GBIF and eBird publish, ``compile`` makes one file of them, and
``Taxonomy`` (in ``lookup``) opens it: accepted names, synonyms, homonyms, suggestions, distances.
"""
