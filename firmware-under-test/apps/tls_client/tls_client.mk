NAME := App_tls_client

$(NAME)_SOURCES := tls_client.c

$(NAME)_COMPONENTS := protocols/DNS

# A bench fills the DCT itself. For a build that carries its root: --set ROOT_CERTIFICATE=FILE.
CERTIFICATE := $(ROOT_CERTIFICATE)
