NAME := App_tls_client_c_array

$(NAME)_SOURCES := tls_client_c_array.c
$(NAME)_INCLUDES := $(SOURCE_ROOT)resources/wwep

$(NAME)_COMPONENTS := protocols/DNS
