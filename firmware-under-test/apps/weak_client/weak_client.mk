NAME := App_weak_client

$(NAME)_SOURCES := weak_client.c

$(NAME)_COMPONENTS := protocols/DNS
