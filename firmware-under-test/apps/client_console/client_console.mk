NAME := App_client_console

$(NAME)_SOURCES := client_console.c

$(NAME)_COMPONENTS := protocols/DNS
