NAME := App_client_packets

$(NAME)_SOURCES := client_packets.c

$(NAME)_COMPONENTS := protocols/DNS
GLOBAL_DEFINES := TX_PACKET_POOL_SIZE=2 RX_PACKET_POOL_SIZE=2
