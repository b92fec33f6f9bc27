NAME := App_jumper

$(NAME)_SOURCES := jumper.c
