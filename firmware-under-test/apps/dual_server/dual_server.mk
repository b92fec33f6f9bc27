NAME := App_dual_server

$(NAME)_SOURCES := dual_server.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list

# A bench fills the DCT itself. For a build that carries its identity: --set SERVER_CERTIFICATE=FILE
# --set SERVER_KEY=FILE.
CERTIFICATE := $(SERVER_CERTIFICATE)
PRIVATE_KEY := $(SERVER_KEY)
