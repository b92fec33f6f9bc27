NAME := App_edge_flood

$(NAME)_SOURCES := edge_flood.c
