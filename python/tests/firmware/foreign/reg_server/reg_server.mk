NAME := App_lab_reg_server
$(NAME)_SOURCES    := reg_server.c
$(NAME)_COMPONENTS := utilities/linked_list
