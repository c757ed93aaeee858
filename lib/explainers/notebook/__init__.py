"""Functions for the notebooks of the book.

`claim` asserts a claim of the article, `explore` displays a figure with controls, `lab`
runs code of the notebook with the reader's settings, `show` displays source, figures
and tables, and `style` sets colours and type of every figure. Import each from its own
module: a page is executed again when a module that it imports changes.
"""
