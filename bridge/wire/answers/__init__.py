"""What a carrier is told to do with a call: the documents that an answer URL gives, one module for each dialect.

Pure text. Each module has ``stream`` (open a media socket to us), ``busy``, ``hang_up`` and ``transfer``, as far as
the carrier has them.
"""
