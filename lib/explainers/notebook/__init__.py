"""What a notebook of the book calls besides the science.

`claim` asserts a claim of the article, `derive` proves a derivation step by step,
`show` displays source, figures and tables, `style` is the one look of every figure.
Each is imported from its own module, so that a page depends only on what it uses.
"""
