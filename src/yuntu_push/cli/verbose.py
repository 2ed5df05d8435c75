"""`--verbose`: what the adapters note about their work, shown on stderr."""

from collections.abc import Callable

from yuntu_push.cli.errors import Messages
from yuntu_push.domain.text import Text

_LOGGER = "yuntu_push"


def follow(messages: Messages) -> Callable[[], None]:
    """Show every note from now on; gives the function that ends it."""
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.detail(Text("{text}", {"text": record.getMessage()}))

    logger, handler = logging.getLogger(_LOGGER), Shown()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)

    def end() -> None:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)

    return end
