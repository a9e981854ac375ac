"""What others published, read into one schema: recipes, licences, checks, duplicates, downloads.

``registry`` knows the recipes; ``reading`` runs one and writes the rows, what was rejected and the
licence ledger.
"""
