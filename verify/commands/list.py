"""The command ``list``: what there is."""

from verify.commands.show import list_everything

COMMAND = list_everything
