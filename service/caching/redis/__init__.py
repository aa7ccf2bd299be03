"""The cache on a Redis or Valkey server, in ``cache``. Nothing outside this package imports the ``redis`` client, which
takes longer to load than Flask: this module does not, so that what reads the settings can do without."""
