"""Questions and answers made of the rows of a corpus: 44 tasks, their answers true by construction.

``catalogue/`` lists the tasks and their wordings, ``answers/`` works out an answer from a row,
``generate`` draws tasks for rows, ``files`` does it for a table of any size, ``formats`` writes
what trainers read, ``checkers`` scores an answer, ``splits`` divides the rows.
"""
