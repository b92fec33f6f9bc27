#
# Button client
#
NAME := App_lab_button_client

$(NAME)_SOURCES := button_client.c

$(NAME)_COMPONENTS := protocols/DNS

WIFI_CONFIG_DCT_H := wifi_config_dct.h

$(NAME)_RESOURCES  := apps/lab/root.pem

GLOBAL_DEFINES += TX_PACKET_POOL_SIZE=2 \
                  RX_PACKET_POOL_SIZE=2

VALID_PLATFORMS  := BCM94343W_AVN \
                    BCM943362WCD4
INVALID_PLATFORMS := BCM943364WCD1
