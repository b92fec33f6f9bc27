NAME := App_client_checked

$(NAME)_SOURCES := client_checked.c

$(NAME)_COMPONENTS := protocols/DNS
