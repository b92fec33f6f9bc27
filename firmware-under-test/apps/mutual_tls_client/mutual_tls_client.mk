NAME := App_mutual_tls_client

$(NAME)_SOURCES := mutual_tls_client.c
$(NAME)_RESOURCES := wwep/client.pem wwep/client.key

$(NAME)_COMPONENTS := protocols/DNS

# A bench fills the DCT itself. For a build that carries its root: --set ROOT_CERTIFICATE=FILE.
CERTIFICATE := $(ROOT_CERTIFICATE)
