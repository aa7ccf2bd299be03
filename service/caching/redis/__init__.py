"""The cache on a Redis or Valkey server. Nothing outside this package imports the ``redis`` client."""

from service.caching.redis.cache import RedisCache
from service.caching.redis.diagnosis import diagnose
from service.caching.redis.url import validate_url

__all__ = ["RedisCache", "diagnose", "validate_url"]
