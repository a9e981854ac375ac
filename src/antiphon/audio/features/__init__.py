"""Spectrograms, mel energies, PCEN and Kaldi filterbanks: one definition of each.

All take ``(n, samples)`` float32 and give ``(n, frames, bins)`` float32. Windows are computed one
by one and without BLAS, so that a result is the same to the last bit alone or in any batch, with
any number of threads.
"""
