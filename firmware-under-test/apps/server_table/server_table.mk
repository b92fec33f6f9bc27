NAME := App_server_table

$(NAME)_SOURCES := server_table.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list
