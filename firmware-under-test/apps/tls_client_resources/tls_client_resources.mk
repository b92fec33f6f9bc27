NAME := App_tls_client_resources

$(NAME)_SOURCES := tls_client_resources.c

$(NAME)_COMPONENTS := protocols/DNS
$(NAME)_RESOURCES := wwep/root.pem
