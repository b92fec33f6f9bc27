NAME := App_tls_client_packets

$(NAME)_SOURCES := tls_client_packets.c

$(NAME)_COMPONENTS := protocols/DNS

# A bench fills the DCT itself. For a build that carries its root: --set ROOT_CERTIFICATE=FILE.
CERTIFICATE := $(ROOT_CERTIFICATE)
