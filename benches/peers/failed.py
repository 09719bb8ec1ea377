"""What could not be measured. In: a sentence for people. Out: that sentence, under the table."""


class Failed(Exception):
    pass
