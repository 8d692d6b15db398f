"""The commands of the command line, one a file that defines ``COMMAND``; the file's name is the command's."""
