NAME := App_blink

$(NAME)_SOURCES := blink.c
