NAME := App_client_streams

$(NAME)_SOURCES := client_streams.c

$(NAME)_COMPONENTS := protocols/DNS
