NAME := App_server_many

$(NAME)_SOURCES := server_many.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list
