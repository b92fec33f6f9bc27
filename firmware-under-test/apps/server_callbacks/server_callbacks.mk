NAME := App_server_callbacks

$(NAME)_SOURCES := server_callbacks.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list
