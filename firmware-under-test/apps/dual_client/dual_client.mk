NAME := App_dual_client

$(NAME)_SOURCES := dual_client.c

$(NAME)_COMPONENTS := protocols/DNS
