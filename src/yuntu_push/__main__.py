"""`python -m yuntu_push`."""

from yuntu_push.cli.main import run

if __name__ == "__main__":
    run()
