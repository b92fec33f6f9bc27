NAME := App_server_packets

$(NAME)_SOURCES := server_packets.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list
