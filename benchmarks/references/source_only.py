"""The network without adaptation: what each term is compared with."""

from .common import main

if __name__ == '__main__':
    main(None)
