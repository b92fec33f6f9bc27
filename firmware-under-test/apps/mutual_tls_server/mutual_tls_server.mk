NAME := App_mutual_tls_server

$(NAME)_SOURCES := mutual_tls_server.c ../common/registers.c
$(NAME)_INCLUDES := ../common

$(NAME)_COMPONENTS := utilities/linked_list
$(NAME)_RESOURCES := wwep/client_root.pem

# A bench fills the DCT itself. For a build that carries its identity: --set SERVER_CERTIFICATE=FILE
# --set SERVER_KEY=FILE.
CERTIFICATE := $(SERVER_CERTIFICATE)
PRIVATE_KEY := $(SERVER_KEY)
