"""The one place that knows every concrete class: services and adapters, built at first use."""

from yuntu_push.bootstrap.context import AppContext

__all__ = ["AppContext"]
