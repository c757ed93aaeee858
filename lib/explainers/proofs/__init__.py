"""Derivations that support an argument and stand folded on a chapter's page.

One module for each chapter that has some. A proof is a function: what it rests on comes
in as finished derivations, and it returns the one that it makes. Derivations that *are*
the argument stand in the notebook.
"""
