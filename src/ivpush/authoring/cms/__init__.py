"""Files as CMS publishes them, made into dated tables in the pack's own layout.

``ivpush tables import`` calls ``release.import_files``; the other modules are its parts: ``files``
opens what is published, ``headings`` finds the table in it, and ``ncci``, ``payment`` and ``hcpcs``
say what each kind of file holds, in the terms of ``kinds``.
"""
