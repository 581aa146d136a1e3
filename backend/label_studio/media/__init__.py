"""Fetches what tasks refer to by an address: pictures in uploads, local files, clouds, the web."""
