"""What a notebook of the book calls besides the science.

`claim` asserts a claim of the article, `explore` makes a figure with controls, `lab`
trains with the reader's settings, `show` displays source, figures and tables, `style`
is the one look of every figure. Derivations are proved by `explainers.derive`.
Each is imported from its own module, so that a page depends only on what it uses.
"""
