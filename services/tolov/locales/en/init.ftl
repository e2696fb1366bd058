# What `tolov init` says. One line a text.

init-written = { $path } is written; only you can read it. Passwords are made up; all other settings are explained in it.
init-ended = The answers ended: nothing was written.
init-left = { $name } is left open: write it into the file.
